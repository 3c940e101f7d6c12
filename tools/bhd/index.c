/* SPDX-License-Identifier: BSD-2-Clause */
/* See index.h */
#include "tools/bhd/index.h"

#include <stddef.h>

/* FNV-1a, 64 bits */
#define HASH_BASE  0xcbf29ce484222325ull
#define HASH_PRIME 0x100000001b3ull

static struct index_entry *of_key(struct index_entry *e, u64 key)
{
	while (e && e->key != key)
		e = e->next;
	return e;
}

void index_add(struct index *x, struct index_entry *e, u64 key)
{
	struct index_entry **bucket = &x->buckets[key % INDEX_BUCKETS];

	e->key = key;
	e->next = *bucket;
	*bucket = e;
}

void index_remove(struct index *x, struct index_entry *e)
{
	struct index_entry **at = &x->buckets[e->key % INDEX_BUCKETS];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
}

struct index_entry *index_first(const struct index *x, u64 key)
{
	return of_key(x->buckets[key % INDEX_BUCKETS], key);
}

struct index_entry *index_next(const struct index_entry *e)
{
	return of_key(e->next, e->key);
}

u64 index_name(const char *name)
{
	u64 hash = HASH_BASE;

	for (; *name; name++)
		hash = (hash ^ (u8)*name) * HASH_PRIME;
	return hash;
}
