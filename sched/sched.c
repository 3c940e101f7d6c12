/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Round robin with carried-over slices, see sched.h. Called by the run loop
 * (hv/run/loop.c), and by whoever wakes or blocks a vCPU.
 *
 * The head of the queue runs. An entity whose slice is used up goes to the tail
 * with a full slice. One that wakes with slice left goes to the head, so that a
 * sleeper beside a spinner is not late. What it used still counts, so that
 * waking often gives nobody more than a fair share.
 *
 * Invariants: the queue and the slice timer belong to the owner core. The wake
 * list is a stack that any core pushes to and the owner takes whole. No locks.
 */
#include "sched/sched.h"

#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "lib/errno.h"
#include "mm/pmm.h"

#define SLICE_NS 10000000ull
/* A rest of a slice below this is not worth a world switch */
#define SLICE_MIN_NS 200000ull

struct sched_cpu {
	struct sched_entity *wake_list; /* atomic; the only shared member */
	u8 pad[56];                     /* keeps the rest off its cache line */
	struct sched_entity *current;
	struct sched_entity *head; /* circular, by next and prev */
	u32 ready;
	bool yielding;
	u64 picked_tsc;       /* when current began or was last charged */
	u64 idle_tsc;         /* TSC ticks with nobody current */
	u64 slice, slice_min; /* TSC ticks */
	struct timer timer;
	struct pcpu *cpu;
};

static void slice_ended(struct timer *t)
{
	struct sched_cpu *s = container_of(t, struct sched_cpu, timer);

	pcpu_kick(s->cpu, PCPU_RESCHED);
}

int sched_init_cpu(struct pcpu *cpu)
{
	struct sched_cpu *s = kmem_alloc(&pmm_self, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->cpu = cpu;
	s->slice = ns_to_tsc(SLICE_NS);
	s->slice_min = ns_to_tsc(SLICE_MIN_NS);
	s->timer.fn = slice_ended;
	cpu->sched = s;
	return 0;
}

static void queue_before(struct sched_cpu *s, struct sched_entity *e,
			 struct sched_entity *pos)
{
	if (!pos) {
		e->next = e;
		e->prev = e;
		s->head = e;
	} else {
		e->next = pos;
		e->prev = pos->prev;
		pos->prev->next = e;
		pos->prev = e;
	}
	s->ready++;
}

static void queue_take(struct sched_cpu *s, struct sched_entity *e)
{
	if (s->head == e)
		s->head = e->next == e ? NULL : e->next;
	e->prev->next = e->next;
	e->next->prev = e->prev;
	s->ready--;
}

/* Take what the current one used off its slice, and count anew from now */
static void charge_current(struct sched_cpu *s)
{
	struct sched_entity *e = s->current;
	u64 now = rdtsc();
	u64 used = now - s->picked_tsc;

	s->picked_tsc = now;
	if (!e) {
		s->idle_tsc += used;
		return;
	}
	e->run_tsc += used;
	e->slice_left = used < e->slice_left ? e->slice_left - used : 0;
}

static void enqueue_woken(struct sched_cpu *s, struct sched_entity *e)
{
	e->state = SCHED_READY;
	e->ready_tsc = s->picked_tsc;
	if (e->slice_left > s->slice_min) {
		queue_before(s, e, s->head);
		s->head = e;
	} else {
		e->slice_left = s->slice;
		queue_before(s, e, s->head);
	}
}

static void take_wakes(struct sched_cpu *s)
{
	struct sched_entity *e, *next;

	if (!READ_ONCE(s->wake_list))
		return;
	e = __atomic_exchange_n(&s->wake_list, NULL, __ATOMIC_SEQ_CST);
	for (; e; e = next) {
		next = e->wake_next;
		__atomic_store_n(&e->wake_pending, 0, __ATOMIC_SEQ_CST);
		if (e->state == SCHED_BLOCKED)
			enqueue_woken(s, e);
	}
}

void sched_add(struct sched_entity *e, struct pcpu *cpu)
{
	e->cpu = cpu;
	e->slice_left = cpu->sched->slice;
	e->state = SCHED_BLOCKED;
}

void sched_wake(struct sched_entity *e)
{
	struct sched_cpu *s = e->cpu->sched;
	struct sched_entity *first;

	if (__atomic_exchange_n(&e->wake_pending, 1, __ATOMIC_SEQ_CST))
		return;
	first = READ_ONCE(s->wake_list);
	do {
		e->wake_next = first;
	} while (!__atomic_compare_exchange_n(&s->wake_list, &first, e, true,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	pcpu_kick(e->cpu, PCPU_RESCHED);
}

void sched_block(struct sched_entity *e)
{
	struct sched_cpu *s = e->cpu->sched;

	if (s->current == e) {
		charge_current(s);
		s->current = NULL;
	}
	if (e->state == SCHED_READY)
		queue_take(s, e);
	__atomic_store_n(&e->state, SCHED_BLOCKED, __ATOMIC_SEQ_CST);
}

void sched_remove(struct sched_entity *e)
{
	take_wakes(e->cpu->sched);
	sched_block(e);
}

/* The current one goes to the tail if its slice is used up or it yields */
static void rotate(struct sched_cpu *s)
{
	struct sched_entity *e = s->current;

	if (!e || (e->slice_left > s->slice_min && !s->yielding))
		return;
	e->slice_left = s->slice;
	queue_take(s, e);
	queue_before(s, e, s->head);
}

/* The head gets the core. Who had it and is still READY waits from now on. */
static void change_current(struct sched_cpu *s)
{
	struct sched_entity *from = s->current, *to = s->head;

	if (from)
		from->ready_tsc = s->picked_tsc;
	if (to)
		to->steal_tsc += s->picked_tsc - to->ready_tsc;
	s->current = to;
}

struct sched_entity *sched_pick(void)
{
	struct sched_cpu *s = this_cpu()->sched;

	charge_current(s);
	take_wakes(s);
	rotate(s);
	s->yielding = false;
	if (s->current != s->head)
		change_current(s);
	if (s->ready > 1)
		timer_arm(&s->timer, s->picked_tsc + s->current->slice_left);
	else if (timer_armed(&s->timer))
		timer_cancel(&s->timer);
	return s->current;
}

void sched_yield(void)
{
	struct pcpu *cpu = this_cpu();

	cpu->sched->yielding = true;
	pcpu_kick(cpu, PCPU_RESCHED);
}

void sched_yield_to(struct sched_entity *e)
{
	struct sched_cpu *s = e->cpu->sched;

	if (e->state != SCHED_READY || e == s->current || !s->current)
		return;
	queue_take(s, e);
	queue_before(s, e, s->current->next);
}

/* *@sum, and what has gone by since it was last charged if @e is current. The
 * core may charge it meanwhile: then once more. */
static u64 ticks_of(const struct sched_cpu *s, const struct sched_entity *e,
		    const u64 *sum)
{
	u64 since, ticks;
	bool current;

	do {
		since = READ_ONCE(s->picked_tsc);
		current = READ_ONCE(s->current) == e;
		ticks = READ_ONCE(*sum);
	} while (READ_ONCE(s->picked_tsc) != since);
	if (current)
		ticks += (u64)MAX((s64)(rdtsc() - since), (s64)0);
	return ticks;
}

u64 sched_run_ticks(const struct sched_entity *e)
{
	return ticks_of(e->cpu->sched, e, &e->run_tsc);
}

u64 sched_idle_ticks(const struct pcpu *cpu)
{
	return ticks_of(cpu->sched, NULL, &cpu->sched->idle_tsc);
}
