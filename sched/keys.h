/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be said of how an entity is scheduled, as a table: the manifest and
 * the control device both take their keys from it. Any core, no lock.
 */
#ifndef SCHED_KEYS_H
#define SCHED_KEYS_H

#include "sched/sched.h"

struct sched_key {
	const char *name;
	const char *unit; /* behind the number; "" if it has none */
	u32 min, max, initial;
	bool changeable; /* while the entity is there */
	void (*apply)(struct sched_entity *e, u32 value);
	u32 (*read)(const struct sched_entity *e);
};

extern const struct sched_key sched_keys[];
extern const u32 sched_key_count;

/* By the @len bytes of its name, or NULL */
const struct sched_key *sched_key_find(const char *name, u32 len);

#endif
