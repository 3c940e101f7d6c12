/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hard limit of what an entity may have of its core, whoever else wants it:
 * in each period of its own it gets a share, in percent. What it does not use,
 * as it waits for others or sleeps, it may use later, up to one share. What it
 * had too much, because a timer is never early, is taken off the next one. So
 * of a time T it has at most that part of it, and two shares.
 *
 * Only numbers of the entity: sched.c says when it runs and rests. Owner core.
 */
#ifndef SCHED_CAP_H
#define SCHED_CAP_H

#include "sched/sched.h"

#define SCHED_PERIOD_NS 20000000ull

/* Is there a limit now? */
static inline bool sched_cap_holds(const struct sched_entity *e)
{
	return READ_ONCE(e->cap) < SCHED_CAP_MAX && !e->spared;
}

/* @e, which is limited, has run for @used TSC ticks; @period is SCHED_PERIOD_NS
 * in them */
void sched_cap_charge(struct sched_entity *e, u64 used, u64 period);
/* May it run at @now? Gives it the shares of the periods that have begun.
 * False: not before e->cap_renews. */
bool sched_cap_allows(struct sched_entity *e, u64 now, u64 period);

#endif
