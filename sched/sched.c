/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Round robin with carried-over slices, see sched.h. Called by the run loop
 * (hv/run/loop.c), and by whoever wakes or blocks a vCPU.
 *
 * The head of the queue runs. An entity whose slice is used up goes to the tail
 * with a new one. How long that is its weight says, beside the heaviest that is
 * READY: weights are in bands, each up to double the last one's, and a weight
 * of the upper end of the highest band in use gets a full slice. What is too
 * little to run for is kept, and the turn passed over, until some rounds have
 * brought enough (deficit round robin). So shares are right however far weights
 * are apart, and with equal ones a slice is a full slice. One that wakes with
 * slice left goes to the head, so that a sleeper beside a spinner is not late.
 * What it used still counts, so that waking often gives nobody more than a fair
 * share. A new weight counts from the next time on that the entity is put into
 * the queue.
 *
 * One whose cap is used up (cap.h) is not in the queue. It rests: READY, in a
 * list by the time at which it may run again.
 *
 * Invariants: in_band[] counts what is in the queue. The queue, the list of who
 * rests and the timer belong to the owner core. The wake list is a stack that
 * any core pushes to and the owner takes whole. No locks.
 *
 * Over 400 lines: one queue of a core, and all that moves in it.
 */
#include "sched/sched.h"

#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "lib/errno.h"
#include "mm/pmm.h"
#include "sched/cap.h"

#define SLICE_NS 10000000ull
/* A rest of a slice below this is not worth a world switch */
#define SLICE_MIN_NS 200000ull
/* Turns that are passed over in one look, and rests that end: what is left
 * comes at the next */
#define PASSES_MAX 64u

/* The upper ends of the bands */
static const u16 bands[] = { 1,   2,   4,   7,    13,   25,   50,   100,
			     200, 400, 800, 1600, 3200, 6400, 10000 };
static_assert(SCHED_WEIGHT_MAX == 10000, "the last band's end");

struct sched_cpu {
	struct sched_entity *wake_list; /* atomic; the only shared member */
	u8 pad[56];                     /* keeps the rest off its cache line */
	struct sched_entity *current;
	struct sched_entity *head; /* circular, by next and prev */
	struct sched_entity
		*resting; /* the same; the first to go on is first */
	u32 ready;
	u32 in_band[ARRAY_SIZE(bands)];
	u32 bands_in_use; /* a bit for each that has some */
	bool yielding;
	u64 picked_tsc; /* when current began or was last charged */
	u64 idle_tsc;   /* TSC ticks with nobody current */
	u64 slice, slice_min, period; /* TSC ticks */
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
	s->period = ns_to_tsc(SCHED_PERIOD_NS);
	s->timer.fn = slice_ended;
	cpu->sched = s;
	return 0;
}

static u32 band_of(u32 weight)
{
	u32 band = 0;

	while (bands[band] < weight)
		band++;
	return band;
}

/* @e comes in with the weight that it was last given */
static void count_in(struct sched_cpu *s, struct sched_entity *e)
{
	u32 weight = READ_ONCE(e->weight);

	if (weight != e->queued_weight) {
		e->queued_weight = weight;
		e->band = band_of(weight);
	}
	s->in_band[e->band]++;
	s->bands_in_use |= 1u << e->band;
}

static void count_out(struct sched_cpu *s, const struct sched_entity *e)
{
	if (!--s->in_band[e->band])
		s->bands_in_use &= ~(1u << e->band);
}

static void ring_before(struct sched_entity **head, struct sched_entity *e,
			struct sched_entity *pos)
{
	if (!pos) {
		e->next = e;
		e->prev = e;
		*head = e;
	} else {
		e->next = pos;
		e->prev = pos->prev;
		pos->prev->next = e;
		pos->prev = e;
	}
}

static void ring_take(struct sched_entity **head, struct sched_entity *e)
{
	if (*head == e)
		*head = e->next == e ? NULL : e->next;
	e->prev->next = e->next;
	e->next->prev = e->prev;
}

static void queue_before(struct sched_cpu *s, struct sched_entity *e,
			 struct sched_entity *pos)
{
	count_in(s, e);
	ring_before(&s->head, e, pos);
	s->ready++;
}

static void queue_take(struct sched_cpu *s, struct sched_entity *e)
{
	ring_take(&s->head, e);
	s->ready--;
	count_out(s, e);
}

/* A new slice for @e, which is in the queue, beside what is left of the last */
static void refill(struct sched_cpu *s, struct sched_entity *e)
{
	u32 top = 31 - (u32)__builtin_clz(s->bands_in_use);
	u64 slice = s->slice * e->queued_weight / bands[top];

	e->slice_left = MIN(e->slice_left + slice, s->slice);
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
	if (unlikely(sched_cap_holds(e)))
		sched_cap_charge(e, used, s->period);
}

/* --- rests --- */

/* @e, in no list, waits for its next share. They come in about as they go on,
 * as all periods are as long: behind the last, mostly. */
static void rest(struct sched_cpu *s, struct sched_entity *e)
{
	struct sched_entity *pos = s->resting;
	bool first = !pos || e->cap_renews < pos->cap_renews;

	while (!first && e->cap_renews < pos->prev->cap_renews)
		pos = pos->prev;
	e->rests = true;
	ring_before(&s->resting, e, pos);
	if (first)
		s->resting = e;
}

static void rest_over(struct sched_cpu *s, struct sched_entity *e)
{
	ring_take(&s->resting, e);
	e->rests = false;
}

/* Has @e, if its cap holds, some of its share left? */
static bool may_run(struct sched_cpu *s, struct sched_entity *e)
{
	return likely(!sched_cap_holds(e)) ||
	       sched_cap_allows(e, s->picked_tsc, s->period);
}

/* Those whose next share is there go to the tail */
static void end_rests(struct sched_cpu *s)
{
	for (u32 i = 0; i < PASSES_MAX && s->resting; i++) {
		struct sched_entity *e = s->resting;

		if (s->picked_tsc < e->cap_renews)
			return;
		rest_over(s, e);
		if (!may_run(s, e)) {
			rest(s, e);
			continue;
		}
		queue_before(s, e, s->head);
		if (e->slice_left <= s->slice_min)
			refill(s, e);
	}
}

/* --- wakes --- */

static void enqueue_woken(struct sched_cpu *s, struct sched_entity *e)
{
	e->state = SCHED_READY;
	e->ready_tsc = s->picked_tsc;
	if (!may_run(s, e)) {
		rest(s, e);
	} else if (e->slice_left > s->slice_min) {
		queue_before(s, e, s->head);
		s->head = e;
	} else {
		queue_before(s, e, s->head);
		refill(s, e);
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
	e->weight = e->queued_weight = SCHED_WEIGHT_DEFAULT;
	e->band = band_of(SCHED_WEIGHT_DEFAULT);
	e->cap = SCHED_CAP_MAX;
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
	if (unlikely(e->rests))
		rest_over(s, e);
	else if (e->state == SCHED_READY)
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
	queue_take(s, e);
	queue_before(s, e, s->head);
	refill(s, e);
}

/* The next one whose slice is worth a world switch comes to the head */
static void pass_over(struct sched_cpu *s)
{
	for (u32 i = 0; i < PASSES_MAX && s->ready > 1; i++) {
		if (s->head->slice_left > s->slice_min)
			return;
		refill(s, s->head);
		s->head = s->head->next;
	}
}

/* The current one has had its share */
static void rest_current(struct sched_cpu *s)
{
	struct sched_entity *e = s->current;

	if (!e || may_run(s, e))
		return;
	queue_take(s, e);
	rest(s, e);
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

/* Up to when the current one may run, as far as others and its cap have a say;
 * ~0: for ever */
static u64 turn_end(const struct sched_cpu *s)
{
	const struct sched_entity *e = s->current;
	u64 end = ~0ull;

	if (s->ready > 1)
		end = s->picked_tsc + e->slice_left;
	if (e && unlikely(sched_cap_holds(e)))
		end = MIN(end, s->picked_tsc + (u64)MAX(e->cap_left, 0));
	if (unlikely(s->resting))
		end = MIN(end, s->resting->cap_renews);
	return end;
}

bool sched_others_wait(void)
{
	return this_cpu()->sched->ready > 1;
}

struct sched_entity *sched_pick(void)
{
	struct sched_cpu *s = this_cpu()->sched;
	u64 end;

	charge_current(s);
	take_wakes(s);
	rotate(s);
	rest_current(s);
	end_rests(s);
	pass_over(s);
	s->yielding = false;
	if (s->current != s->head)
		change_current(s);
	end = turn_end(s);
	if (end != ~0ull)
		timer_arm(&s->timer, end);
	else if (timer_armed(&s->timer))
		timer_cancel(&s->timer);
	return s->current;
}

/* A core that has one entity has no timer: it is to look */
void sched_set_cap(struct sched_entity *e, u32 percent)
{
	if (READ_ONCE(e->cap) == percent)
		return;
	WRITE_ONCE(e->cap, percent);
	pcpu_kick(e->cpu, PCPU_RESCHED);
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

	if (e->state != SCHED_READY || e->rests || e == s->current ||
	    !s->current)
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
