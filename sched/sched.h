/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scheduling: each core has its own run queue of opaque entities. Round robin,
 * preemptive, with shares of the core by weight; nothing is global. Only its
 * own core touches a queue. Another core wakes an entity by putting it on the
 * queue's lock-free wake list and kicking the core. No locks; interrupts are
 * off.
 *
 * "Owner core" is the one that the entity lives on (entity.cpu).
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
	u64 run_tsc;    /* TSC ticks that it ran, up to its last turn */
	u64 ready_tsc;  /* when it last began to be READY and not run */
	u64 steal_tsc;  /* TSC ticks that it was so, up to its last turn */
	u64 slice_left; /* TSC ticks of its slice not used yet */
	u32 weight;     /* its share beside others; any core writes it, whole */
	u32 queued_weight; /* as it stands in the queue with; owner core */
	u32 band;          /* that of queued_weight; owner core */
	u32 cap; /* percent of its core that it may have; any core writes it */
	bool spared;    /* @cap does not hold; owner core */
	bool rests;     /* READY, and its share used up: not in the queue */
	s64 cap_left;   /* TSC ticks of its share not used yet; see cap.h */
	u64 cap_renews; /* host TSC at which there is another */
};

/* Two that always run share a core as their weights say, whatever they are */
#define SCHED_WEIGHT_MIN     1u
#define SCHED_WEIGHT_MAX     10000u
#define SCHED_WEIGHT_DEFAULT 100u
/* A hard limit, also of a core that nobody else wants; the last one: none */
#define SCHED_CAP_MIN 1u
#define SCHED_CAP_MAX 100u

/* Makes @cpu's run queue, empty. By hv/init.c on each core, after tsc_init().
 * -ENOMEM. */
int __must_check sched_init_cpu(struct pcpu *cpu);
/* Gives @e, all zero, a home on @cpu, whose queue is there: BLOCKED, with a
 * full slice, SCHED_WEIGHT_DEFAULT and no cap. Any core, before @e can be
 * woken. */
void sched_add(struct sched_entity *e, struct pcpu *cpu);
/* Takes @e off the queue and the wake list. Nobody wakes it any more. Owner
 * core. */
void sched_remove(struct sched_entity *e);
/* Makes @e READY at its home core's next sched_pick(), unless it is by then.
 * Any core, any context. */
void sched_wake(struct sched_entity *e);
/* Does @e wait, so that an event for it needs sched_wake()? Any core, behind a
 * full barrier. The answer may be stale only while the owner core is between
 * sched_block() and its second look at the events. */
static inline bool sched_is_blocked(const struct sched_entity *e)
{
	return READ_ONCE(e->state) == SCHED_BLOCKED;
}
/* Makes @e wait for a wake; one that is on the wake list already counts. Owner
 * core. A full barrier: the caller looks at its events again afterwards. */
void sched_block(struct sched_entity *e);
/* Who has this core from now on; NULL: nobody, it may halt. The current one
 * stays until its slice ends or it blocks. The slice timer is armed only when
 * two or more are READY, or a cap holds. */
struct sched_entity *sched_pick(void);
/* From now on @e is not held to its cap, as what it does is not for itself, or
 * is again. Owner core. */
static inline void sched_spare(struct sched_entity *e, bool spared)
{
	e->spared = spared;
}
/* Gives @e another cap, from now on. Any core, any context. */
void sched_set_cap(struct sched_entity *e, u32 percent);
/* Do others want this core, too? */
bool sched_others_wait(void);
/* Sends the current one to the tail at this core's next sched_pick(), and asks
 * for that by PCPU_RESCHED */
void sched_yield(void);
/* Owner core, while one of its entities is current: moves @e right behind that,
 * if @e is READY. Else it does nothing. */
void sched_yield_to(struct sched_entity *e);
/* TSC ticks that @e ran, and that @cpu had nobody to run, up to now. Any core,
 * no lock; the core is online. */
u64 sched_run_ticks(const struct sched_entity *e);
u64 sched_idle_ticks(const struct pcpu *cpu);

#endif
