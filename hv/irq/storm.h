/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The throttle of physical interrupts: a line that fires too often is masked
 * for a while and its owner named in the log, so that it costs the other guests
 * of the core a bounded share. Embedded in a route's row; storm_count() runs on
 * the core where the interrupt arrived, and calm() comes from a timer there.
 */
#ifndef HV_IRQ_STORM_H
#define HV_IRQ_STORM_H

#include "arch/x86/machine/timer.h"
#include "lib/log.h"
#include "lib/types.h"

struct vm;

struct storm {
	u64 window_start;                 /* host TSC */
	u32 count;                        /* arrivals in the window */
	bool throttled;                   /* from the storm to calm() */
	void (*calm)(struct storm *self); /* unmask; set by the owner */
	struct timer timer;
	struct ratelimit limit;
};

/* One more arrival; true when it was one too many: @s is now throttled, calm()
 * is on its way, and the caller masks the source */
bool storm_count(struct storm *s, u32 max_arrivals);
/* Name the line in the log; the caller holds no lock */
void storm_report(struct storm *s, const struct vm *vm, const char *what,
		  u32 number);

#endif
