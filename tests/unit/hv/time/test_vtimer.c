/* SOURCES: hv/time/vtimer.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Device timers: wishes from any core, one queue on the home core */
#include "tests/unit/fakes/vdev.h"

#include "hv/time/vtimer.h"

static u32 fired;
static struct timer_queue queue;
static struct vtimer t;

/* Only the home core may come fake_this_cpu */
void timer_arm(struct timer *timer, u64 deadline)
{
	assert_ptr_equal(fake_this_cpu, &fake_pcpus[0]);
	timer->deadline = deadline;
	timer->queue = &queue;
}

void timer_cancel(struct timer *timer)
{
	assert_ptr_equal(fake_this_cpu, &fake_pcpus[0]);
	timer->queue = NULL;
}

static void expire(void)
{
	fake_this_cpu = &fake_pcpus[0];
	assert_true(timer_armed(&t.timer));
	t.timer.queue = NULL;
	t.timer.fn(&t.timer);
}

static void note(struct vtimer *self)
{
	assert_ptr_equal(self, &t);
	fired++;
}

static int setup(void **state)
{
	fake_vm_init(2);
	fake_this_cpu = &fake_pcpus[0];
	fake_pcpus[0].current = NULL;
	fired = 0;
	vtimer_init(&t, &fake_vm, note);
	return 0;
}

static void test_at_home(void **state)
{
	vtimer_set(&t, 1000);
	assert_true(timer_armed(&t.timer));
	assert_int_equal(t.timer.deadline, 1000);
	assert_int_equal(fake_vcpus[0].events, 0);
	expire();
	assert_int_equal(fired, 1);
	assert_int_equal(t.want, 0);
	vtimer_set(&t, 2000);
	vtimer_cancel(&t);
	assert_false(timer_armed(&t.timer));
}

static void test_from_elsewhere(void **state)
{
	fake_this_cpu = &fake_pcpus[1];
	vtimer_set(&t, 1000);
	assert_false(timer_armed(&t.timer));
	assert_int_equal(fake_vcpus[0].events, VE_VTIMER);
	fake_this_cpu = &fake_pcpus[0];
	vtimer_follow(&fake_vm);
	assert_int_equal(t.timer.deadline, 1000);
	expire();
	assert_int_equal(fired, 1);
}

static void test_cancelled_elsewhere_does_not_fire(void **state)
{
	vtimer_set(&t, 1000);
	fake_this_cpu = &fake_pcpus[1];
	vtimer_cancel(&t);
	assert_true(timer_armed(&t.timer));
	expire();
	assert_int_equal(fired, 0);
}

static void test_moved_while_armed(void **state)
{
	vtimer_set(&t, 1000);
	fake_this_cpu = &fake_pcpus[1];
	vtimer_set(&t, 5000);
	expire(); /* before the boot vCPU took the event */
	assert_int_equal(fired, 0);
	assert_int_equal(t.timer.deadline, 5000);
	fake_this_cpu = &fake_pcpus[1];
	vtimer_set(&t, 2000);
	fake_this_cpu = &fake_pcpus[0];
	vtimer_follow(&fake_vm);
	assert_int_equal(t.timer.deadline, 2000);
	expire();
	assert_int_equal(fired, 1);
}

static void test_nothing_after_the_end(void **state)
{
	vtimer_set(&t, 1000);
	fake_vcpus[0].activity = VCPU_PARKED;
	vtimer_stop_all(&fake_vm);
	assert_false(timer_armed(&t.timer));
	vtimer_set(&t, 2000); /* another vCPU on this core still runs */
	assert_false(timer_armed(&t.timer));
	vtimer_follow(&fake_vm);
	assert_false(timer_armed(&t.timer));
}

/* While another guest has the core, an expired timer costs it one interrupt */
static void test_rests_out_of_turn(void **state)
{
	static struct vm other_vm;
	static struct vcpu other = { .vm = &other_vm };

	fake_pcpus[0].current = &other;
	fake_vcpus[0].entity.state = SCHED_READY;
	vtimer_set(&t, 1000);
	expire();
	assert_int_equal(fired, 0);
	assert_false(timer_armed(&t.timer));
	vtimer_taken(&other);
	vtimer_taken(&fake_vcpus[1]);
	assert_false(timer_armed(&t.timer));
	fake_pcpus[0].current = &fake_vcpus[0];
	vtimer_taken(&fake_vcpus[0]);
	assert_int_equal(t.timer.deadline, 1000);
	expire();
	assert_int_equal(fired, 1);
	vtimer_taken(&fake_vcpus[0]);
	assert_false(timer_armed(&t.timer));
}

/* A boot vCPU that sleeps is woken by its timers, and a sibling on the same
 * core may be whom the interrupt is for */
static void test_fires_for_sleepers_and_siblings(void **state)
{
	static struct vm other_vm;
	static struct vcpu other = { .vm = &other_vm };

	fake_pcpus[0].current = &other;
	fake_vcpus[0].entity.state = SCHED_BLOCKED;
	vtimer_set(&t, 1000);
	expire();
	assert_int_equal(fired, 1);
	fake_pcpus[0].current = &fake_vcpus[1];
	fake_vcpus[0].entity.state = SCHED_READY;
	vtimer_set(&t, 1000);
	expire();
	assert_int_equal(fired, 2);
}

static void test_time_zero_is_no_cancel(void **state)
{
	vtimer_set(&t, 0);
	assert_true(timer_armed(&t.timer));
	expire();
	assert_int_equal(fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_at_home, setup),
		cmocka_unit_test_setup(test_from_elsewhere, setup),
		cmocka_unit_test_setup(test_cancelled_elsewhere_does_not_fire,
				       setup),
		cmocka_unit_test_setup(test_moved_while_armed, setup),
		cmocka_unit_test_setup(test_nothing_after_the_end, setup),
		cmocka_unit_test_setup(test_rests_out_of_turn, setup),
		cmocka_unit_test_setup(test_fires_for_sleepers_and_siblings,
				       setup),
		cmocka_unit_test_setup(test_time_zero_is_no_cancel, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
