/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is found by a number or a name, among a thousand as among ten: a hash
 * table whose entries lie in what it finds.
 */
#ifndef TOOLS_BHD_INDEX_H
#define TOOLS_BHD_INDEX_H

#include "lib/types.h"

#define INDEX_BUCKETS 1024u /* as many as there can be guests */

struct index_entry {
	struct index_entry *next;
	u64 key;
};

struct index {
	struct index_entry *buckets[INDEX_BUCKETS];
};

/* Several may have one key */
void index_add(struct index *x, struct index_entry *e, u64 key);
/* @e is in @x */
void index_remove(struct index *x, struct index_entry *e);
/* One of that key, NULL: there is none; and the one behind it */
struct index_entry *index_first(const struct index *x, u64 key);
struct index_entry *index_next(const struct index_entry *e);
/* A name's key, which other names may have, too */
u64 index_name(const char *name);

#endif
