/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each core's timer queue, see timer.h: a list, soonest first. A core has a
 * handful of timers (its vCPUs' and the scheduler's), so a list beats a tree.
 * Called by who owns a timer, and by irq.c; each core touches its own queue
 * only, no lock.
 */
#include "arch/x86/machine/timer.h"

#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/tsc.h"
#include "lib/assert.h"

/* Callbacks in one run. More fire again at once: a timer that always arms
 * itself in the past must not keep the core. */
#define RUN_MAX 32

static void queue_remove(struct timer_queue *q, struct timer *t)
{
	struct timer **link = &q->first;

	while (*link && *link != t)
		link = &(*link)->next;
	if (*link)
		*link = t->next;
	t->next = NULL;
	t->queue = NULL;
}

static void queue_insert(struct timer_queue *q, struct timer *t)
{
	struct timer **link = &q->first;

	while (*link && (*link)->deadline <= t->deadline)
		link = &(*link)->next;
	t->next = *link;
	t->queue = q;
	*link = t;
}

/* Bring the hardware in step with the head of the queue */
static void program(struct timer_queue *q)
{
	u64 deadline = q->first ? q->first->deadline : 0;

	if (deadline == q->programmed)
		return;
	q->programmed = deadline;
	lapic_timer_set(deadline);
}

void timer_arm(struct timer *t, u64 deadline_tsc)
{
	struct timer_queue *q = &this_cpu()->timers;

	ASSERT(!t->queue || t->queue == q);
	if (t->queue)
		queue_remove(q, t);
	/* 0 would stop the hardware; 1 has passed, too */
	t->deadline = deadline_tsc ? deadline_tsc : 1;
	queue_insert(q, t);
	program(q);
}

void timer_cancel(struct timer *t)
{
	struct timer_queue *q = &this_cpu()->timers;

	if (!t->queue)
		return;
	ASSERT(t->queue == q);
	/* The hardware is left as it is: at worst it fires once for nothing,
	 * which costs less than programming it at every cancel */
	queue_remove(q, t);
}

void timer_run(void)
{
	struct timer_queue *q = &this_cpu()->timers;
	struct timer *t;

	q->programmed = 0;
	for (u32 n = 0; n < RUN_MAX; n++) {
		t = q->first;
		if (!t || t->deadline > rdtsc())
			break;
		q->first = t->next;
		t->next = NULL;
		t->queue = NULL;
		t->fn(t);
	}
	program(q);
}
