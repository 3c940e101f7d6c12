/* SOURCES: lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which state a core sleeps in: of named CPUs the deepest, and of sleeps the
 * long ones */
#include "tests/unit/fakes/core_tsc.h"

#include "arch/x86/cpu/asm.h"

static struct cpuid fake_leaf(u32 leaf);
static void fake_halt(void);
static void fake_mwait(const void *monitored, u32 with);

#define cpuid(leaf)    fake_leaf(leaf)
#define cpu_idle_once  fake_halt
#define cpu_mwait_once fake_mwait
#include "arch/x86/machine/idle.c"
#undef cpuid
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define CORE (&fake_pcpus[0])
#define MS   2400000ull /* in ticks */

static struct cpuid leaf5;
static u64 sleep_ticks;
static u32 halts, mwaits, barriers, last_hint;
static u64 int_pending;
static u32 msr_writes;

u64 ns_to_tsc(u64 ns)
{
	return ns * 24 / 10;
}

void halt_barrier(void)
{
	barriers++;
}

static struct cpuid fake_leaf(u32 leaf)
{
	assert_int_equal(leaf, CPUID_MWAIT);
	return leaf5;
}

static void fake_halt(void)
{
	halts++;
	fake_now += sleep_ticks;
}

static void fake_mwait(const void *monitored, u32 with)
{
	assert_ptr_equal(monitored, line);
	mwaits++;
	last_hint = with;
	fake_now += sleep_ticks;
}

int rdmsr_safe(u32 msr, u64 *value)
{
	assert_int_equal(msr, MSR_AMD_INT_PENDING);
	*value = int_pending;
	return 0;
}

int wrmsr_safe(u32 msr, u64 value)
{
	assert_int_equal(msr, MSR_AMD_INT_PENDING);
	int_pending = value;
	msr_writes++;
	return 0;
}

static int setup(void **state)
{
	cpu_features = (struct cpu_features){
		.vendor = VENDOR_INTEL,
		.family = 6,
		.max_leaf = 0x16,
		.monitor = true,
		.arat = true,
		.invariant_tsc = true,
	};
	leaf5 = (struct cpuid){ 0x40, 0x40, 3, 0x2020 };
	memset(fake_pcpus, 0, sizeof(fake_pcpus));
	fake_this_cpu = CORE;
	halts = mwaits = barriers = msr_writes = 0;
	fake_log_reset();
	return 0;
}

static void sleep_for(u32 times, u64 ticks)
{
	sleep_ticks = ticks;
	for (u32 i = 0; i < times; i++)
		idle_wait(CORE);
}

static void test_hints(void **state)
{
	static const struct {
		const char *name;
		u32 edx;
		bool deep;
		u32 hint;
	} parts[] = {
		{ "Xeon X5680", 0x1120, true, 0x20 },
		{ "Xeon E5-2680 v4", 0x2120, true, 0x20 },
		{ "Xeon Platinum 8280", 0x2020, true, 0x20 },
		{ "Xeon Platinum 8480+", 0x2020, true, 0x20 },
		{ "Core i7-8550U", 0x11142120, true, 0x60 },
		{ "C1 alone", 0x20, false, 0 },
		{ "C0 alone", 0x3, false, 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(parts); i++) {
		print_message("%s\n", parts[i].name);
		leaf5.edx = parts[i].edx;
		idle_init();
		assert_int_equal(has_deep, parts[i].deep);
		if (parts[i].deep)
			assert_int_equal(hint, parts[i].hint);
	}
}

/* What must hold for a deep state, one after the other */
static void test_conditions(void **state)
{
	bool *const needs[] = { &cpu_features.monitor, &cpu_features.arat,
				&cpu_features.invariant_tsc };

	for (u32 i = 0; i < ARRAY_SIZE(needs); i++) {
		setup(NULL);
		*needs[i] = false;
		idle_init();
		assert_false(has_deep);
	}
	setup(NULL);
	cpu_features.hypervisor = true;
	idle_init();
	assert_false(has_deep);
	setup(NULL);
	cpu_features.vendor = VENDOR_AMD;
	idle_init();
	assert_false(has_deep);
	setup(NULL);
	leaf5.ecx = 0;
	idle_init();
	assert_false(has_deep);
	sleep_for(20, 100 * MS);
	assert_int_equal(halts, 20);
	assert_int_equal(barriers, 20);
}

/* A second goes by, with so many sleeps of that length; turns of the run loop
 * are thrice as many */
static void second_of(u32 times, u64 ticks)
{
	halts = mwaits = 0;
	for (u32 i = 0; i < times; i++) {
		CORE->turns += 3;
		sleep_for(1, ticks);
	}
	idle_look(CORE);
}

static void test_long_sleeps(void **state)
{
	idle_init();
	second_of(20, 50 * MS);
	assert_int_equal(halts, 20);
	second_of(20, 50 * MS);
	assert_int_equal(mwaits, 20);
	assert_int_equal(last_hint, 0x20);
	assert_int_equal(barriers, 40);
}

/* Eight of it, until the core has been quiet for another second */
static void test_early_ends(void **state)
{
	idle_init();
	second_of(20, 50 * MS);
	second_of(1000, MS);
	assert_int_equal(mwaits, 8);
	assert_int_equal(halts, 992);
	second_of(100, 10 * MS);
	assert_int_equal(mwaits, 0);
	second_of(100, 10 * MS);
	assert_int_equal(mwaits, 100);
}

static void test_timer_is_near(void **state)
{
	struct timer t = { 0 };

	idle_init();
	second_of(20, 50 * MS);
	halts = 0;
	CORE->timers.first = &t;
	t.deadline = fake_now + MS;
	sleep_for(1, MS);
	t.deadline = fake_now - 1; /* it is about to fire */
	sleep_for(1, 0);
	assert_int_equal(halts, 2);
	t.deadline = fake_now + 10 * MS;
	sleep_for(1, 10 * MS);
	assert_int_equal(mwaits, 1);
}

static void test_no_deep_state(void **state)
{
	cpu_features.arat = false;
	idle_init();
	second_of(20, 50 * MS);
	second_of(20, 50 * MS);
	assert_int_equal(halts, 20);
	assert_int_equal(mwaits, 0);
}

static void test_c1e(void **state)
{
	const u64 both = BIT(27) | BIT(28);

	cpu_features.vendor = VENDOR_AMD;
	cpu_features.family = 0x10;
	int_pending = both | 0x1234;
	idle_init_cpu();
	assert_int_equal(int_pending, 0x1234);
	idle_init_cpu();
	assert_int_equal(msr_writes, 1);
	int_pending = both;
	cpu_features.family = 0x17;
	idle_init_cpu();
	cpu_features.family = 0x10;
	cpu_features.vendor = VENDOR_INTEL;
	idle_init_cpu();
	assert_int_equal(int_pending, both);
	assert_int_equal(msr_writes, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_hints),       T(test_conditions),
		T(test_long_sleeps), T(test_timer_is_near),
		T(test_early_ends),  T(test_no_deep_state),
		T(test_c1e),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
