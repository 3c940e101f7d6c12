/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each core's timers, on its LAPIC timer (TSC-deadline, else one-shot). A timer
 * belongs to the core that armed it, and only that core touches its queue, so
 * there is no lock. It knows its queue, and a call for it on another core is a
 * panic. Deadlines are TSC values. Interrupts are off in all that is here.
 */
#ifndef ARCH_X86_MACHINE_TIMER_H
#define ARCH_X86_MACHINE_TIMER_H

#include "lib/types.h"

struct timer_queue; /* arch/x86/cpu/percpu.h */

/*
 * Zero but for fn at first. It stays where it is while it is armed or running.
 */
struct timer {
	u64 deadline;       /* host TSC; valid while armed */
	struct timer *next; /* sorted, soonest first */
	/* The core's that armed it; NULL: it is not armed. Other cores may
	 * read it. */
	struct timer_queue *queue;
	/* Runs on the owner core, in an interrupt's place; may arm it again */
	void (*fn)(struct timer *self);
};

static inline bool timer_armed(const struct timer *t)
{
	return READ_ONCE(t->queue) != NULL;
}

/*
 * Arms @t on this core, or moves its deadline if it is armed here; it is not
 * armed on another core. A deadline that has passed fires at once, from an
 * interrupt. The hardware is programmed only when the soonest deadline moves.
 */
void timer_arm(struct timer *t, u64 deadline_tsc);
/* Disarms @t, which this core armed; nothing, if it is not armed. fn does not
 * run afterwards. */
void timer_cancel(struct timer *t);
/* Runs what is due on this core, at most 32, and programs the hardware for the
 * next. VEC_TIMER's handler. */
void timer_run(void);

#endif
