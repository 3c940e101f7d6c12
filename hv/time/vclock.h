/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A clock of fixed rate counted by the host TSC. The counters of virtual
 * devices are such clocks. Both directions agree to the tick. No state beyond
 * the rate, no locks: any core, any context.
 */
#ifndef HV_TIME_VCLOCK_H
#define HV_TIME_VCLOCK_H

#include "lib/types.h"

struct vclock {
	u64 mul;   /* clock ticks per TSC tick, */
	u32 shift; /* with this many bits after the point */
};

/* Further than any timer is set: some decades of TSC ticks */
#define VCLOCK_NEVER BIT(62)

/* Set the rate, @hz from 1 to 2^32. After tsc_init(). */
void vclock_init(struct vclock *c, u64 hz);
/* The whole clock ticks in @tsc TSC ticks since the clock's start. None if that
 * is negative: the start was noted by a core whose TSC is a little ahead. */
u64 vclock_ticks(const struct vclock *c, u64 tsc);
/* The fewest TSC ticks that hold @ticks clock ticks: vclock_ticks() of it is at
 * least @ticks, and of one less is not. At most VCLOCK_NEVER. */
u64 vclock_tsc(const struct vclock *c, u64 ticks);

#endif
