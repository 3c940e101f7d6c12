/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-core timers on the host LAPIC timer (TSC-deadline, else one-shot). A
 * timer belongs to the core that armed it; only that core touches its queue,
 * so there is no lock. Deadlines are host TSC values. Callbacks run on the
 * owner core from the timer interrupt's dispatch, interrupts off.
 */
#ifndef ARCH_X86_MACHINE_TIMER_H
#define ARCH_X86_MACHINE_TIMER_H

#include "lib/types.h"

struct timer {
	u64 deadline;       /* host TSC; valid while armed */
	struct timer *next; /* sorted, soonest first */
	bool armed;
	void (*fn)(struct timer *self);
};

/* Arm (or re-arm) on this core. A deadline in the past fires at once from the
 * next timer_run(). The hardware is reprogrammed only when the soonest
 * deadline moved. */
void timer_arm(struct timer *t, u64 deadline_tsc);
void timer_cancel(struct timer *t);
/* Run what is due on this core and program the next; called by the timer
 * vector's handler */
void timer_run(void);

#endif
