/* SOURCES: arch/x86/machine/residue.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What firmware left in MSRs, of a core that has few of them or all. The boot
 * CPU comes first and is the measure, so the tests build on each other. */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/residue.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/test.h"

static struct {
	u32 msr;
	bool absent;
	u64 value;
	u32 writes;
} regs[] = { { .msr = MSR_MISC_ENABLE },
	     { .msr = MSR_DEBUGCTL },
	     { .msr = MSR_RTIT_CTL },
	     { .msr = MSR_TSC_ADJUST } };
enum { MISC, DEBUG, RTIT, ADJUST };

static u32 find(u32 msr)
{
	for (u32 i = 0; i < ARRAY_SIZE(regs); i++)
		if (regs[i].msr == msr)
			return i;
	fail();
	return 0;
}

int rdmsr_safe(u32 msr, u64 *value)
{
	u32 i = find(msr);

	*value = regs[i].value;
	return regs[i].absent ? -EIO : 0;
}

int wrmsr_safe(u32 msr, u64 value)
{
	u32 i = find(msr);

	assert_false(regs[i].absent);
	regs[i].value = value;
	regs[i].writes++;
	return 0;
}

static int fresh(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(regs); i++) {
		regs[i].absent = false;
		regs[i].value = regs[i].writes = 0;
	}
	cpu_features.vendor = VENDOR_INTEL;
	cpu_features.tsc_adjust = true;
	fake_log_reset();
	return 0;
}

static void test_boot_core_is_the_measure(void **state)
{
	assert_false(residue_may_hide_nx());
	regs[ADJUST].value = 1234;
	assert_false(residue_clear());
	assert_int_equal(regs[ADJUST].value, 1234);
	for (u32 i = 0; i < ARRAY_SIZE(regs); i++)
		assert_int_equal(regs[i].writes, 0);
	assert_true(residue_may_hide_nx());
	residue_report();
	assert_int_equal(fake_log_warnings, 0);
}

static void test_another_tsc(void **state)
{
	regs[ADJUST].value = 1234;
	assert_false(residue_clear());
	residue_report();
	assert_int_equal(fake_log_warnings, 0);
	regs[ADJUST].value = ~0ull - 5;
	assert_false(residue_clear());
	assert_int_equal(regs[ADJUST].value, 1234);
	/* Kept for tsc_sync.c, should that have been right */
	assert_int_equal(this_cpu()->tsc_question.removed, -6 - 1234);
	residue_report();
	assert_int_equal(fake_log_warnings, 1);
	assert_non_null(strstr(fake_log_last, "1 core apart"));
}

static void test_switches_in_setup(void **state)
{
	const u64 kept = MISC_ENABLE_FAST_STRING | BIT(16);

	regs[MISC].value = kept | MISC_ENABLE_XD_DISABLE;
	assert_true(residue_clear());
	assert_int_equal(regs[MISC].value, kept);
	regs[MISC].value = kept | MISC_ENABLE_LIMIT_CPUID;
	assert_true(residue_clear());
	assert_int_equal(regs[MISC].value, kept);
	assert_false(residue_clear());
	assert_int_equal(regs[MISC].writes, 2);
}

static void test_traces_end(void **state)
{
	regs[DEBUG].value = 0xc1;
	regs[RTIT].value = 0x2501;
	assert_false(residue_clear());
	assert_int_equal(regs[DEBUG].value, 0);
	assert_int_equal(regs[RTIT].value, 0);
}

/* AMD has no such switches, and a core may lack any of the rest */
static void test_absent(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(regs); i++)
		regs[i].absent = true;
	assert_false(residue_clear());
	cpu_features.vendor = VENDOR_AMD;
	cpu_features.tsc_adjust = false;
	regs[MISC].absent = regs[ADJUST].absent = false;
	regs[MISC].value = MISC_ENABLE_XD_DISABLE;
	regs[ADJUST].value = 7;
	assert_false(residue_clear());
	assert_int_equal(regs[MISC].writes + regs[ADJUST].writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_boot_core_is_the_measure, fresh),
		cmocka_unit_test_setup(test_another_tsc, fresh),
		cmocka_unit_test_setup(test_switches_in_setup, fresh),
		cmocka_unit_test_setup(test_traces_end, fresh),
		cmocka_unit_test_setup(test_absent, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
