/* SOURCES: arch/x86/machine/timer.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The per-core timer queue with a fake LAPIC timer */
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "tests/unit/fakes/panic.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/test.h"

#define FAR (~0ull / 2)

static struct pcpu *const cpu = &fake_pcpus[0];
static u64 hardware;
static u32 hardware_writes;

void lapic_timer_set(u64 deadline_tsc)
{
	hardware = deadline_tsc;
	hardware_writes++;
}

static struct timer *ran[64];
static u32 ran_count;

static void note(struct timer *t)
{
	assert_false(timer_armed(t));
	ran[ran_count++ % 64] = t;
}

static struct timer timers[4];

static int setup(void **state)
{
	memset(fake_pcpus, 0, sizeof(fake_pcpus));
	fake_this_cpu = cpu;
	memset(timers, 0, sizeof(timers));
	for (u32 i = 0; i < ARRAY_SIZE(timers); i++)
		timers[i].fn = note;
	hardware = 0;
	hardware_writes = 0;
	ran_count = 0;
	return 0;
}

static void test_only_the_soonest_is_programmed(void **state)
{
	timer_arm(&timers[0], FAR);
	timer_arm(&timers[1], FAR + 10);
	assert_int_equal(hardware_writes, 1);
	assert_int_equal(hardware, FAR);
	timer_arm(&timers[2], FAR - 10);
	assert_int_equal(hardware_writes, 2);
	assert_int_equal(hardware, FAR - 10);
	/* Later again: the next one counts */
	timer_arm(&timers[2], FAR + 20);
	assert_int_equal(hardware, FAR);
	timer_arm(&timers[1], FAR + 10);
	assert_int_equal(hardware_writes, 3);
}

static void test_due_ones_run_in_order(void **state)
{
	timer_arm(&timers[0], 300);
	timer_arm(&timers[1], 100);
	timer_arm(&timers[2], 200);
	timer_arm(&timers[3], FAR);
	timer_run();
	assert_int_equal(ran_count, 3);
	assert_ptr_equal(ran[0], &timers[1]);
	assert_ptr_equal(ran[1], &timers[2]);
	assert_ptr_equal(ran[2], &timers[0]);
	assert_int_equal(hardware, FAR);
	assert_true(timer_armed(&timers[3]));
}

static void test_equal_deadlines_keep_their_order(void **state)
{
	timer_arm(&timers[0], 100);
	timer_arm(&timers[1], 100);
	timer_run();
	assert_ptr_equal(ran[0], &timers[0]);
	assert_ptr_equal(ran[1], &timers[1]);
}

static void test_cancel(void **state)
{
	timer_cancel(&timers[0]);
	timer_arm(&timers[0], 100);
	timer_arm(&timers[1], FAR);
	timer_cancel(&timers[0]);
	assert_false(timer_armed(&timers[0]));
	timer_run();
	assert_int_equal(ran_count, 0);
	assert_int_equal(hardware, FAR);
	timer_cancel(&timers[1]);
	timer_run();
	assert_null(cpu->timers.first);
}

static void test_zero_deadline_fires(void **state)
{
	timer_arm(&timers[0], 0);
	assert_int_not_equal(hardware, 0);
	timer_run();
	assert_int_equal(ran_count, 1);
}

static void rearm_in_the_past(struct timer *t)
{
	ran_count++;
	timer_arm(t, 1);
}

static void test_endless_rearming_gives_way(void **state)
{
	timers[0].fn = rearm_in_the_past;
	timer_arm(&timers[0], 1);
	timer_run();
	assert_in_range(ran_count, 1, 1000);
	assert_true(timer_armed(&timers[0]));
	assert_int_equal(hardware, 1);
}

/* It would be taken out of one list with the links of another */
static void test_other_core(void **state)
{
	timer_arm(&timers[0], FAR);
	fake_this_cpu = &fake_pcpus[1];
	expect_panic(timer_arm(&timers[0], FAR));
	expect_panic(timer_cancel(&timers[0]));
	timer_cancel(&timers[1]); /* nobody's */
	fake_this_cpu = cpu;
	timer_cancel(&timers[0]);
	/* Disarmed, or fired, it may go elsewhere */
	fake_this_cpu = &fake_pcpus[1];
	timer_arm(&timers[0], 1);
	timer_run();
	fake_this_cpu = cpu;
	timer_arm(&timers[0], FAR);
	assert_ptr_equal(cpu->timers.first, &timers[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_only_the_soonest_is_programmed,
				       setup),
		cmocka_unit_test_setup(test_due_ones_run_in_order, setup),
		cmocka_unit_test_setup(test_equal_deadlines_keep_their_order,
				       setup),
		cmocka_unit_test_setup(test_cancel, setup),
		cmocka_unit_test_setup(test_zero_deadline_fires, setup),
		cmocka_unit_test_setup(test_endless_rearming_gives_way, setup),
		cmocka_unit_test_setup(test_other_core, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
