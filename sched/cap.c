/* SPDX-License-Identifier: BSD-2-Clause */
/* See cap.h. Called by sched.c. */
#include "sched/cap.h"

static s64 share_of(const struct sched_entity *e, u64 period)
{
	return (s64)(period * READ_ONCE(e->cap) / SCHED_CAP_MAX);
}

/* It owes one share at most: the limit may be new, and a core may have been
 * kept from its timer by what is no fault of the entity's */
void sched_cap_charge(struct sched_entity *e, u64 used, u64 period)
{
	s64 share = share_of(e, period);
	s64 room = e->cap_left + share;

	if (room > 0 && used < (u64)room)
		e->cap_left -= (s64)used;
	else
		e->cap_left = -share;
}

static void renew(struct sched_entity *e, u64 now, u64 period)
{
	u64 begun = (now - e->cap_renews) / period + 1;
	s64 share = share_of(e, period);

	e->cap_left = MIN(e->cap_left + (s64)begun * share, 2 * share);
	e->cap_renews += begun * period;
}

bool sched_cap_allows(struct sched_entity *e, u64 now, u64 period)
{
	if (now >= e->cap_renews)
		renew(e, now, period);
	return e->cap_left > 0;
}
