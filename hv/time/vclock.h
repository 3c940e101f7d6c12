/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A clock of fixed rate counted by the host TSC, as the counters of virtual
 * devices are. Both directions agree to the tick. No state beyond the rate, no
 * locks.
 */
#ifndef HV_TIME_VCLOCK_H
#define HV_TIME_VCLOCK_H

#include "lib/types.h"

struct vclock {
	u64 mul;   /* clock ticks a TSC tick, */
	u32 shift; /* with so many bits after the point */
};

/* Further than any timer is set: some decades of TSC ticks */
#define VCLOCK_NEVER BIT(62)

/* @hz up to 2^32; after tsc_init() */
void vclock_init(struct vclock *c, u64 hz);
/* Whole ticks in @tsc TSC ticks */
u64 vclock_ticks(const struct vclock *c, u64 tsc);
/* The least number of TSC ticks that vclock_ticks() makes @ticks of; at most
 * VCLOCK_NEVER */
u64 vclock_tsc(const struct vclock *c, u64 ticks);

#endif
