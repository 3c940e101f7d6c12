/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of keys; see keys.h. What a value does is sched.c's. */
#include "sched/keys.h"

#include "lib/string.h"

static void weight_apply(struct sched_entity *e, u32 value)
{
	WRITE_ONCE(e->weight, value);
}

static u32 weight_read(const struct sched_entity *e)
{
	return READ_ONCE(e->weight);
}

static u32 cap_read(const struct sched_entity *e)
{
	return READ_ONCE(e->cap);
}

const struct sched_key sched_keys[] = {
	{ "weight", "", SCHED_WEIGHT_MIN, SCHED_WEIGHT_MAX,
	  SCHED_WEIGHT_DEFAULT, true, weight_apply, weight_read },
	{ "cap", "%", SCHED_CAP_MIN, SCHED_CAP_MAX, SCHED_CAP_MAX, true,
	  sched_set_cap, cap_read },
};
const u32 sched_key_count = ARRAY_SIZE(sched_keys);

const struct sched_key *sched_key_find(const char *name, u32 len)
{
	for (u32 i = 0; i < sched_key_count; i++)
		if (strlen(sched_keys[i].name) == len &&
		    !memcmp(sched_keys[i].name, name, len))
			return &sched_keys[i];
	return NULL;
}
