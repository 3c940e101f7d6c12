/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scheduling: each core has its own run queue of opaque entities. Round robin,
 * preemptive (a slice each), with nothing global. A queue is touched by its
 * own core only; another core wakes an entity by putting it on the queue's
 * lock-free wake list and kicking the core.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

enum sched_state { SCHED_BLOCKED, SCHED_READY };

struct sched_entity {
	struct sched_entity *next, *prev; /* run queue, while READY */
	struct sched_entity *wake_next;   /* lock-free wake list */
	u32 wake_pending;                 /* atomic: on the wake list */
	struct pcpu *cpu;                 /* home core; fixed while it lives */
	enum sched_state state;           /* written by the owner core only */
	u64 run_tsc;    /* time it ran; the control plane will list it */
	u64 ready_tsc;  /* since when it is READY and does not run */
	u64 steal_tsc;  /* how long it was so in all, up to its last turn */
	u64 slice_left; /* TSC ticks of its slice not used yet */
};

int __must_check sched_init_cpu(struct pcpu *cpu);
void sched_add(struct sched_entity *e, struct pcpu *cpu); /* BLOCKED */
/* Any core, any context, lock-free: make it READY on its home core */
void sched_wake(struct sched_entity *e);
/* Any core: it waits, so that an event for it needs sched_wake(). A stale
 * answer is possible only while the owner core is still between
 * sched_block() and its re-check of the events (full barriers on both sides).
 */
bool sched_is_blocked(const struct sched_entity *e);
/* Owner core: it waits for a wake; a wake that came first is not lost. A full
 * barrier: the caller checks its events again afterwards. */
void sched_block(struct sched_entity *e);
/* Owner core: who runs now (NULL: idle); keeps the current one until its slice
 * ends or it blocks. Arms the slice timer only when two or more are READY. */
struct sched_entity *sched_pick(void);
/* The current one gives way to the next */
void sched_yield(void);
/* Owner core: @e is the next after the current one, if it is READY */
void sched_yield_to(struct sched_entity *e);

#endif
