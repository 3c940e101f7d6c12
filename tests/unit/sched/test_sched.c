/* SOURCES: sched/cap.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler on a simulated core: the clock is the test's, so the source is
 * included here, unedited, behind a fake rdtsc(). Over 400 lines: one core.
 */
#include "tests/unit/fakes/core_tsc.h"
/* The C library of the host has one of its own */
#define sched_yield hv_sched_yield
#include "sched/sched.c"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/test.h"

#define SLICE SLICE_NS
#define MS    1000000ull

static struct pcpu *const cpu = &fake_pcpus[0];
static struct sched_entity e[4];
static u32 kicks;

void pcpu_kick(struct pcpu *target, u32 bits)
{
	target->pending |= bits;
	kicks++;
}

static int setup(void **state)
{
	memset(cpu, 0, sizeof(*cpu));
	memset(e, 0, sizeof(e));
	fake_now = 1000;
	fake_timer = NULL;
	assert_int_equal(sched_init_cpu(cpu), 0);
	for (u32 i = 0; i < ARRAY_SIZE(e); i++)
		sched_add(&e[i], cpu);
	return 0;
}

static int teardown(void **state)
{
	kmem_free(&pmm_self, cpu->sched, sizeof(*cpu->sched));
	fake_pool_check(&pmm_self);
	return 0;
}

/* Let @ticks pass as the run loop would: picks when something is pending */
static void run(u64 ticks)
{
	u64 end = fake_now + ticks;

	for (;;) {
		bool armed = fake_timer && timer_armed(fake_timer);

		if (cpu->pending) {
			cpu->pending = 0;
			sched_pick();
			continue;
		}
		if (!armed || fake_timer->deadline > end)
			break;
		fake_now = MAX(fake_now, fake_timer->deadline);
		fake_timer_fire();
	}
	fake_now = end;
}

static void test_idle(void **state)
{
	assert_null(sched_pick());
	assert_true(sched_is_blocked(&e[0]));
}

static void test_alone_has_no_tick(void **state)
{
	sched_wake(&e[0]);
	assert_int_equal(cpu->pending, PCPU_RESCHED);
	assert_ptr_equal(sched_pick(), &e[0]);
	assert_false(sched_is_blocked(&e[0]));
	assert_null(fake_timer);
	fake_now += 100 * SLICE;
	assert_ptr_equal(sched_pick(), &e[0]);
	assert_null(fake_timer);
}

static void test_spinners_share_evenly(void **state)
{
	for (u32 i = 0; i < 3; i++)
		sched_wake(&e[i]);
	run(300 * SLICE);
	sched_pick();
	for (u32 i = 0; i < 3; i++)
		assert_in_range(e[i].run_tsc, 98 * SLICE, 102 * SLICE);
}

/* Runs those of the weights, which never sleep, and holds what each got to its
 * weight, within 2 % and a slice */
static void expect_shares(const u32 *weights, u32 count, u64 ticks)
{
	u64 begin[ARRAY_SIZE(e)], sum = 0;

	for (u32 i = 0; i < count; i++) {
		sum += weights[i];
		e[i].weight = weights[i];
		sched_wake(&e[i]);
	}
	run(10 * SLICE); /* the weights come with a turn */
	sched_pick();
	for (u32 i = 0; i < count; i++)
		begin[i] = e[i].run_tsc;
	run(ticks);
	sched_pick();
	for (u32 i = 0; i < count; i++) {
		u64 got = e[i].run_tsc - begin[i];
		u64 share = ticks * weights[i] / sum;

		assert_in_range(got + SLICE + share / 50, share,
				share + 2 * (SLICE + share / 50));
	}
}

static void test_weights_share(void **state)
{
	static const u32 rows[][3] = {
		{ 100, 200, 400 },  { 512, 100, 100 }, { 1, 2, 3 },
		{ 10000, 100, 1 },  { 99, 101, 100 },  { 7, 10000, 5000 },
		{ 10000, 9999, 1 }, { 25, 50, 75 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		teardown(state);
		setup(state);
		expect_shares(rows[i], 3, 30000 * SLICE);
	}
}

/* A weight that changes while its entity runs, waits or sleeps; and back */
static void test_weight_changes(void **state)
{
	static const u32 rows[][2] = {
		{ 100, 100 }, { 100, 512 }, { 1, 512 }, { 100, 100 }
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		expect_shares(rows[i], 2, 3000 * SLICE);
	sched_block(&e[1]);
	run(10 * SLICE);
	expect_shares((const u32[]){ 10, 30 }, 2, 3000 * SLICE);
	sched_block(&e[0]);
	sched_block(&e[1]);
	assert_null(sched_pick());
	assert_int_equal(cpu->sched->bands_in_use, 0);
}

/* Nobody shares its core with it: it has all, and no tick */
static void test_light_one_alone(void **state)
{
	e[0].weight = 1;
	sched_wake(&e[0]);
	assert_ptr_equal(sched_pick(), &e[0]);
	fake_now += 1000 * SLICE;
	assert_ptr_equal(sched_pick(), &e[0]);
	assert_null(fake_timer);
	assert_int_equal(e[0].run_tsc, 1000 * SLICE);
}

/* A light one that sleeps much is still served when it wakes */
static void test_light_sleeper(void **state)
{
	e[1].weight = 10;
	sched_wake(&e[0]);
	run(3 * MS);
	for (u32 i = 0; i < 100; i++) {
		sched_wake(&e[1]);
		run(300 * SLICE);
		assert_false(e[1].state == SCHED_READY &&
			     e[1].run_tsc < i * MS / 10);
		fake_now += MS / 10;
		sched_block(&e[1]);
		sched_pick();
	}
	assert_true(e[1].run_tsc >= 99 * MS / 10);
}

static void test_wake_before_block_is_not_lost(void **state)
{
	sched_wake(&e[0]);
	assert_ptr_equal(sched_pick(), &e[0]);
	sched_wake(&e[0]); /* while it runs */
	sched_block(&e[0]);
	assert_ptr_equal(sched_pick(), &e[0]);
	sched_block(&e[0]);
	assert_null(sched_pick());
}

static void test_second_wake_does_nothing(void **state)
{
	kicks = 0;
	sched_wake(&e[0]);
	sched_wake(&e[0]);
	assert_int_equal(kicks, 1);
	assert_ptr_equal(sched_pick(), &e[0]);
	assert_ptr_equal(e[0].next, &e[0]);
}

static void test_sleeper_is_served_at_once(void **state)
{
	sched_wake(&e[0]);
	run(3 * MS);
	sched_wake(&e[1]);
	run(0);
	assert_ptr_equal(cpu->sched->current, &e[1]);
	fake_now += MS / 10;
	sched_block(&e[1]);
	assert_ptr_equal(sched_pick(), &e[0]);
}

/* One that sleeps a moment before each slice ends gets no more than its half */
static void test_waking_often_gains_nothing(void **state)
{
	u64 begin;

	sched_wake(&e[0]);
	sched_wake(&e[1]);
	run(0);
	begin = fake_now;
	while (fake_now < begin + 1000 * MS) {
		run(MS / 2);
		if (cpu->sched->current == &e[1]) {
			sched_block(&e[1]);
			cpu->pending = PCPU_RESCHED;
			run(1000);
			sched_wake(&e[1]);
		}
	}
	assert_in_range(e[1].run_tsc, 300 * MS, 540 * MS);
}

static void test_yield(void **state)
{
	sched_wake(&e[0]);
	run(0);
	sched_wake(&e[1]);
	run(0);
	assert_ptr_equal(cpu->sched->current, &e[1]);
	sched_yield();
	run(0);
	assert_ptr_equal(cpu->sched->current, &e[0]);
}

/* Only the time it was ready and did not run */
static void test_steal_is_the_wait_of_the_ready(void **state)
{
	sched_wake(&e[0]);
	run(5 * MS);
	assert_int_equal(e[0].steal_tsc, 0);
	sched_wake(&e[1]);
	run(0);
	assert_ptr_equal(cpu->sched->current, &e[1]);
	run(3 * MS);
	sched_block(&e[1]);
	assert_ptr_equal(sched_pick(), &e[0]);
	assert_int_equal(e[0].steal_tsc, 3 * MS);
	assert_int_equal(e[1].steal_tsc, 0);
	run(2 * MS); /* asleep: not stolen from it */
	sched_wake(&e[1]);
	run(0);
	assert_int_equal(e[1].steal_tsc, 0);
}

/* What a core and its entities did, up to now, in the middle of a turn too */
static void test_ticks_up_to_now(void **state)
{
	u64 idle = sched_idle_ticks(cpu);

	run(4 * MS);
	assert_int_equal(sched_idle_ticks(cpu), idle + 4 * MS);
	fake_now += MS; /* no turn ends */
	assert_int_equal(sched_idle_ticks(cpu), idle + 5 * MS);
	sched_wake(&e[0]);
	run(0);
	fake_now += 3 * MS;
	assert_int_equal(sched_run_ticks(&e[0]), 3 * MS);
	assert_int_equal(sched_run_ticks(&e[1]), 0);
	assert_int_equal(sched_idle_ticks(cpu), idle + 5 * MS);
	sched_block(&e[0]);
	assert_null(sched_pick());
	fake_now += MS;
	assert_int_equal(sched_run_ticks(&e[0]), 3 * MS);
	assert_int_equal(sched_idle_ticks(cpu), idle + 6 * MS);
}

static void test_steal_and_run_fill_the_time(void **state)
{
	u64 begin = fake_now;

	for (u32 i = 0; i < 3; i++)
		sched_wake(&e[i]);
	run(0);
	run(300 * MS);
	sched_yield(); /* charges the current one */
	run(0);
	for (u32 i = 0; i < 3; i++) {
		u64 waits = &e[i] == cpu->sched->current
				    ? 0
				    : fake_now - e[i].ready_tsc;

		assert_int_equal(e[i].run_tsc + e[i].steal_tsc + waits,
				 fake_now - begin);
	}
}

static void test_yield_to(void **state)
{
	for (u32 i = 0; i < 4; i++)
		sched_wake(&e[i]);
	run(0);
	for (u32 i = 0; i < 4; i++) {
		struct sched_entity *to = cpu->sched->current->prev;

		sched_yield_to(to);
		sched_yield();
		run(0);
		assert_ptr_equal(cpu->sched->current, to);
	}
	sched_block(&e[0]);
	sched_yield_to(&e[0]);
	sched_pick();
	assert_ptr_not_equal(cpu->sched->current, &e[0]);
}

/* Queued, current or woken a moment ago: it is in no list afterwards */
static void test_remove(void **state)
{
	sched_wake(&e[0]);
	sched_wake(&e[1]);
	assert_ptr_equal(sched_pick(), &e[0]);
	sched_wake(&e[2]);
	sched_remove(&e[0]);
	sched_remove(&e[2]);
	assert_ptr_equal(sched_pick(), &e[1]);
	sched_remove(&e[1]);
	assert_null(sched_pick());
	assert_int_equal(e[2].wake_pending, 0);
	assert_null(cpu->sched->wake_list);
	sched_wake(&e[2]); /* it may live again */
	assert_ptr_equal(sched_pick(), &e[2]);
}

/* --- caps --- */

#define PERIOD SCHED_PERIOD_NS

/* What @n got in @ticks, in which it always wants to run */
static u64 got(u32 n, u64 ticks)
{
	u64 begin = e[n].run_tsc;

	run(ticks);
	sched_pick();
	return e[n].run_tsc - begin;
}

/* But for the phase of its periods, which begin where they like */
static void expect_about(u64 ticks, u64 wanted)
{
	assert_in_range(ticks, wanted - 1000, wanted + 1000);
}

/* Of a core that nobody else wants, and to the tick: the timer is exact */
static void test_cap_alone(void **state)
{
	static const u32 caps[] = { 1, 3, 10, 50, 99 };

	for (u32 i = 0; i < ARRAY_SIZE(caps); i++) {
		teardown(state);
		setup(state);
		sched_set_cap(&e[0], caps[i]);
		sched_wake(&e[0]);
		run(200 * PERIOD); /* what it had when it began */
		expect_about(got(0, 1000 * PERIOD),
			     1000 * PERIOD * caps[i] / 100);
		assert_int_equal(cpu->sched->idle_tsc, fake_now - e[0].run_tsc);
	}
}

/* It is no floor, and takes nothing from others that they want */
static void test_cap_beside_others(void **state)
{
	sched_set_cap(&e[0], 20);
	for (u32 i = 0; i < 3; i++)
		sched_wake(&e[i]);
	run(PERIOD);
	assert_in_range(got(0, 500 * PERIOD), 97 * PERIOD, 103 * PERIOD);
	assert_in_range(got(1, 500 * PERIOD), 195 * PERIOD, 205 * PERIOD);
	sched_set_cap(&e[0], 90); /* more than a third */
	run(PERIOD);
	assert_in_range(got(0, 500 * PERIOD), 160 * PERIOD, 172 * PERIOD);
}

/* At no time has one more than its part and two shares, whenever it sleeps */
static void test_cap_of_a_sleeper(void **state)
{
	u64 share = PERIOD * 30 / 100, worst = 0;

	sched_set_cap(&e[0], 30);
	sched_wake(&e[1]);
	for (u32 i = 0; i < 20000; i++) {
		u64 part = fake_now * 30 / 100;

		if (rand() % 2)
			sched_wake(&e[0]);
		else if (cpu->sched->current == &e[0])
			sched_block(&e[0]);
		cpu->pending = PCPU_RESCHED;
		run((u64)rand() % (2 * MS));
		worst = MAX(worst, e[0].run_tsc - MIN(part, e[0].run_tsc));
	}
	assert_true(worst <= 2 * share + 2 * MS);
	assert_true(e[0].run_tsc >= fake_now * 20 / 100);
}

/* A timer that is late costs it the next share, but no more than that */
static void test_cap_overrun(void **state)
{
	u64 begin;

	sched_set_cap(&e[0], 10);
	sched_wake(&e[0]);
	run(0);
	begin = fake_now;
	fake_now += PERIOD * 25 / 100; /* two shares and a half */
	assert_null(sched_pick());
	run(begin + 10 * PERIOD - fake_now);
	expect_about(e[0].run_tsc, PERIOD * 105 / 100);
	fake_now += 5 * PERIOD; /* as if nobody had looked */
	cpu->pending = PCPU_RESCHED;
	run(2 * PERIOD);
	assert_in_range(got(0, 10 * PERIOD), 99 * PERIOD / 100,
			101 * PERIOD / 100);
}

/* From now on, also of one that runs alone and has no timer, or rests */
static void test_cap_changes(void **state)
{
	sched_wake(&e[0]);
	run(100 * PERIOD);
	sched_set_cap(&e[0], 50);
	assert_int_equal(cpu->pending, PCPU_RESCHED);
	run(2 * PERIOD);
	expect_about(got(0, 10 * PERIOD), 5 * PERIOD);
	sched_set_cap(&e[0], SCHED_CAP_MAX);
	run(PERIOD);
	sched_pick();
	assert_int_equal(got(0, 10 * PERIOD), 10 * PERIOD);
	assert_false(fake_timer && timer_armed(fake_timer));
}

/* What it does for somebody else is done at once, and not charged */
static void test_cap_spared(void **state)
{
	sched_set_cap(&e[0], 1);
	sched_wake(&e[0]);
	run(0);
	sched_spare(&e[0], true);
	assert_int_equal(got(0, 10 * PERIOD), 10 * PERIOD);
	sched_spare(&e[0], false);
	cpu->pending = PCPU_RESCHED;
	run(PERIOD);
	assert_in_range(got(0, 100 * PERIOD), PERIOD * 99 / 100,
			PERIOD * 101 / 100);
}

/* One that rests is READY: it is stolen from, blocks, is removed, and is not
 * moved by who yields to it */
static void test_cap_rests(void **state)
{
	struct sched_cpu *s = cpu->sched;

	for (u32 i = 0; i < 3; i++) {
		sched_set_cap(&e[i], 10 + i);
		sched_wake(&e[i]);
	}
	sched_wake(&e[3]);
	run(PERIOD * 9 / 10);
	assert_true(e[0].rests && e[1].rests && e[2].rests);
	assert_ptr_equal(s->current, &e[3]);
	assert_int_equal(s->ready, 1);
	assert_false(sched_is_blocked(&e[0]));
	sched_yield_to(&e[0]);
	sched_wake(&e[0]);
	sched_pick();
	assert_true(e[0].rests);
	sched_block(&e[1]);
	sched_remove(&e[0]);
	assert_ptr_equal(s->resting, &e[2]);
	assert_ptr_equal(e[2].next, &e[2]);
	run(PERIOD);
	assert_int_equal(e[0].run_tsc, PERIOD * 10 / 100);
	assert_in_range(e[2].steal_tsc, PERIOD * 85 / 100, 2 * PERIOD);
	sched_wake(&e[1]);
	run(PERIOD);
	expect_about(e[1].run_tsc, PERIOD * 33 / 100);
}

/* The one that goes on first is first, whatever the order in which they came */
static void test_cap_order(void **state)
{
	static const u64 times[] = { 5, 3, 9, 4 };
	struct sched_cpu *s = cpu->sched;
	u64 last = 0;

	for (u32 i = 0; i < ARRAY_SIZE(times); i++) {
		e[i].cap_renews = times[i];
		rest(s, &e[i]);
	}
	for (u32 i = 0; i < ARRAY_SIZE(times); i++) {
		assert_true(s->resting->cap_renews > last);
		last = s->resting->cap_renews;
		rest_over(s, s->resting);
	}
	assert_null(s->resting);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_idle),
		T(test_alone_has_no_tick),
		T(test_spinners_share_evenly),
		T(test_weights_share),
		T(test_weight_changes),
		T(test_light_one_alone),
		T(test_light_sleeper),
		T(test_wake_before_block_is_not_lost),
		T(test_second_wake_does_nothing),
		T(test_sleeper_is_served_at_once),
		T(test_waking_often_gains_nothing),
		T(test_yield),
		T(test_steal_is_the_wait_of_the_ready),
		T(test_steal_and_run_fill_the_time),
		T(test_ticks_up_to_now),
		T(test_yield_to),
		T(test_remove),
		T(test_cap_alone),
		T(test_cap_beside_others),
		T(test_cap_of_a_sleeper),
		T(test_cap_overrun),
		T(test_cap_changes),
		T(test_cap_spared),
		T(test_cap_rests),
		T(test_cap_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
