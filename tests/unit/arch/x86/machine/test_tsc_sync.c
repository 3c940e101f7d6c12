/* SOURCES: lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Cores whose TSCs are apart: found, told by how much, moved where that works.
 * The other core answers while the boot core waits, a line's way later. */
#include "tests/unit/fakes/core_tsc.h"

static u64 core_rdtsc(void);
/* Also what happens while a core looks at the time */
#define rdtsc core_rdtsc
#include "arch/x86/machine/tsc_sync.c"
#undef rdtsc
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define BOOT  (&fake_pcpus[0])
#define OTHER (&fake_pcpus[1])
#define READ  20 /* ticks from one read to the next */

u64 tsc_khz = 2000000;

static u32 way;        /* ticks that a line takes from core to core */
static bool silent;    /* it does not answer */
static bool no_writes; /* its TSC cannot be moved */
static bool slips;     /* each move is off by some thousand ticks */
static u64 adjust;
static u32 writes;

u64 ns_to_tsc(u64 ns)
{
	return ns * tsc_khz / 1000000;
}

u64 tsc_to_ns(u64 ticks)
{
	return ticks * 1000000 / tsc_khz;
}

int rdmsr_safe(u32 msr, u64 *value)
{
	assert_int_equal(msr, MSR_TSC_ADJUST);
	*value = adjust;
	return 0;
}

int wrmsr_safe(u32 msr, u64 value)
{
	s64 delta = (s64)(value - (msr == MSR_TSC ? core_rdtsc() : adjust));

	assert_int_equal(msr == MSR_TSC, !cpu_features.tsc_adjust);
	assert_ptr_equal(fake_this_cpu, OTHER);
	writes++;
	if (no_writes)
		return -1;
	fake_tsc_ahead[1] += delta + (slips ? 3000 : 0);
	adjust += (u64)delta;
	return 0;
}

/* The other core's turn */
static void answer(void)
{
	fake_now += way;
	fake_this_cpu = OTHER;
	tsc_sync_answer(OTHER);
	fake_this_cpu = BOOT;
	fake_now += way;
}

static u64 core_rdtsc(void)
{
	const struct tsc_question *q = &OTHER->tsc_question;

	fake_now += READ;
	if (fake_this_cpu == BOOT && q->asked != q->answered && !silent)
		answer();
	return rdtsc();
}

static int setup(void **state)
{
	memset(fake_pcpus, 0, sizeof(fake_pcpus));
	memset(&found, 0, sizeof(found));
	fake_this_cpu = BOOT;
	OTHER->id = 1;
	fake_now = 1000000000;
	fake_tsc_ahead[0] = fake_tsc_ahead[1] = 0;
	silent = no_writes = slips = false;
	way = 100;
	adjust = 77;
	writes = 0;
	cpu_features.tsc_adjust = cpu_features.invariant_tsc = true;
	strcpy(cpu_features.hypervisor_name, "");
	fake_log_reset();
	return 0;
}

static void compare_both(void)
{
	tsc_sync_with(OTHER);
	tsc_sync_report();
}

static void test_in_step(void **state)
{
	for (u32 ticks = 10; ticks < 3000; ticks *= 2) {
		setup(NULL);
		way = ticks;
		compare_both();
		assert_true(tsc_is_stable());
		assert_int_equal(writes + fake_log_warnings, 0);
	}
}

/* Closer than any line travels: nobody can see it, and nothing is moved */
static void test_unseen(void **state)
{
	fake_tsc_ahead[1] = 60;
	compare_both();
	assert_true(tsc_is_stable());
	assert_int_equal(writes, 0);
}

static void test_moved(void **state)
{
	static const s64 ahead[] = { 500, -500, 100000, -123456789012,
				     1ll << 50 };

	for (u32 i = 0; i < 2 * ARRAY_SIZE(ahead); i++) {
		setup(NULL);
		cpu_features.tsc_adjust = i % 2;
		fake_tsc_ahead[1] = ahead[i / 2];
		compare_both();
		assert_true(tsc_is_stable());
		assert_in_range(fake_tsc_ahead[1] + 200, 0, 400);
		assert_int_equal(writes, 1);
		assert_non_null(strstr(fake_log_last, "1 core was apart"));
	}
}

/* What residue.c took away was right, because the socket began later */
static void test_firmware_was_right(void **state)
{
	fake_tsc_ahead[1] = -987654321;
	OTHER->tsc_question.removed = 987654321 - 30;
	compare_both();
	assert_true(tsc_is_stable());
	assert_int_equal(fake_tsc_ahead[1], -30);
}

static void test_firmware_was_wrong(void **state)
{
	fake_tsc_ahead[1] = -987654321;
	OTHER->tsc_question.removed = 1000;
	compare_both();
	assert_true(tsc_is_stable());
	assert_in_range(fake_tsc_ahead[1] + 200, 0, 400);
}

static void test_cannot_be_moved(void **state)
{
	no_writes = true;
	fake_tsc_ahead[1] = -40000;
	compare_both();
	assert_false(tsc_is_stable());
	assert_non_null(strstr(fake_log_last, "core 1's the most: behind by "));
}

static void test_moves_do_not_help(void **state)
{
	slips = true;
	fake_tsc_ahead[1] = 5000;
	compare_both();
	assert_false(tsc_is_stable());
	assert_int_equal(writes, MOVES);
	assert_int_equal(fake_log_warnings, 1);
}

/* It takes a while and ends */
static void test_silent(void **state)
{
	u64 start = fake_now;

	silent = true;
	compare_both();
	assert_false(tsc_is_stable());
	assert_true(fake_now - start < ns_to_tsc(2 * NS_PER_S));
	assert_non_null(strstr(fake_log_last, "did not answer"));
}

/* 1,023 cores are all asked in 200 us each at most; what a slow machine leaves
 * over is told */
static void test_time_is_bounded(void **state)
{
	u64 start = fake_now;

	way = 400;
	for (u32 i = 0; i < 1023; i++)
		tsc_sync_with(OTHER);
	assert_true(fake_now - start < ns_to_tsc(NS_PER_S / 2));
	assert_int_equal(found.untested, 0);
	way = 4000000; /* 2 ms, an emulator on a busy host */
	for (u32 i = 0; i < 1023; i++)
		tsc_sync_with(OTHER);
	assert_true(found.untested > 0);
	assert_true(fake_now - start < ns_to_tsc(2 * NS_PER_S));
}

static void test_not_invariant(void **state)
{
	cpu_features.invariant_tsc = false;
	compare_both();
	assert_false(tsc_is_stable());
	assert_non_null(strstr(fake_log_last, "not invariant"));
	strcpy(cpu_features.hypervisor_name, "TCGTCGTCGTCG");
	tsc_sync_report();
	assert_true(tsc_is_stable());
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_in_step),
		T(test_unseen),
		T(test_moved),
		T(test_firmware_was_right),
		T(test_firmware_was_wrong),
		T(test_cannot_be_moved),
		T(test_moves_do_not_help),
		T(test_silent),
		T(test_time_is_bounded),
		T(test_not_invariant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
