/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The throttle of physical interrupts. A source that fires too often is masked
 * for a while, so that it costs the other guests of its core a bounded share;
 * the log names its owner. Embedded in a row of route.c or msi.c.
 *
 * A source that is aimed at another core may arrive on both for a while, so any
 * number of cores may count at once. No lock: counts that meet may lose a few.
 * The core whose arrival throttles the source owns the timer until calm().
 */
#ifndef HV_IRQ_STORM_H
#define HV_IRQ_STORM_H

#include "arch/x86/machine/timer.h"
#include "lib/log.h"
#include "lib/types.h"

struct vm;

struct storm {
	u64 window_start; /* host TSC */
	u32 count;        /* arrivals in the window */
	bool throttled;   /* from the storm to storm_calm(); atomic */
	/* Storms no more: storm_calm(), then unmask. The throttling core, in
	 * its timer's interrupt. */
	void (*calm)(struct storm *self);
	struct timer timer; /* the throttling core's */
	struct ratelimit limit;
};

/* Count one arrival; @max_arrivals: how many 100 ms may have. True: it was one
 * too many, and the caller masks the source. @s is throttled, and calm() comes
 * from a timer of this core 100 ms later. Interrupt context, any core, several
 * at once; the route's lock may be held. */
bool storm_count(struct storm *s, u32 max_arrivals);
/* The throttle ends, and the next storm may be another core's. By calm(). */
static inline void storm_calm(struct storm *s)
{
	__atomic_store_n(&s->throttled, false, __ATOMIC_RELEASE);
}
static inline bool storm_throttled(const struct storm *s)
{
	return __atomic_load_n(&s->throttled, __ATOMIC_RELAXED);
}
/* Name the source in the log, as @what ("pin 17"), once in ten seconds at most.
 * Any context; no lock is held, as the log has its own. */
void storm_report(struct storm *s, const struct vm *vm, const char *what);

#endif
