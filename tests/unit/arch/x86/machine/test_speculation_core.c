/* SOURCES: arch/x86/machine/speculation_core.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which MSRs a choice sets on a core, once each */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/speculation.h"
#include "arch/x86/machine/speculation_core.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"

#define WAS 0xd00ull

static struct {
	u32 msr;
	u64 value;
} writes[8];
static u32 write_count;
static u64 was = WAS;
static bool refuse;

int rdmsr_safe(u32 msr, u64 *value)
{
	*value = was;
	return 0;
}

int wrmsr_safe(u32 msr, u64 value)
{
	if (refuse)
		return -EIO;
	assert_true(write_count < ARRAY_SIZE(writes));
	writes[write_count].msr = msr;
	writes[write_count++].value = value;
	return 0;
}

static void init_with(u32 actions, u32 ctrl)
{
	speculation =
		(struct speculation){ .actions = actions, .host_ctrl = ctrl };
	write_count = 0;
	fake_log_reset();
	speculation_init_core();
}

static void test_nothing(void **state)
{
	init_with(SPEC_RETPOLINE | SPEC_RSB_FILL | SPEC_VERW |
			  SPEC_IBPB_SWITCH | SPEC_VULNERABLE,
		  0);
	assert_int_equal(write_count, 0);
}

static void test_each(void **state)
{
	static const struct {
		u32 action, ctrl, msr;
		u64 value;
	} rows[] = {
		{ SPEC_AUTO_IBRS, 0, MSR_EFER, WAS | EFER_AIBRSE },
		{ SPEC_TSX_OFF, 0, MSR_TSX_CTRL, WAS | 3 },
		{ SPEC_FP_FIX, 0, MSR_AMD_DE_CFG, WAS | BIT(9) },
		{ SPEC_REDUCE, 0, MSR_AMD_BP_CFG, WAS | BIT(4) },
		{ SPEC_IBRS, SPEC_CTRL_IBRS, MSR_SPEC_CTRL, SPEC_CTRL_IBRS },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		init_with(rows[i].action, rows[i].ctrl);
		assert_int_equal(write_count, 1);
		assert_int_equal(writes[0].msr, rows[i].msr);
		assert_int_equal(writes[0].value, rows[i].value);
		assert_int_equal(fake_log_warnings, 0);
	}
}

/* What microcode does by itself is switched on again, if firmware has switched
 * it off; each bit alone. A register that is right may be locked. */
static void test_cleared(void **state)
{
	was = WAS | BIT(0) | BIT(4);
	init_with(SPEC_GATHER_MITG, 0);
	assert_int_equal(write_count, 1);
	assert_int_equal(writes[0].msr, MSR_MCU_OPT_CTRL);
	assert_int_equal(writes[0].value, WAS | BIT(0));
	init_with(SPEC_RNG_MITG, 0);
	assert_int_equal(write_count, 1);
	assert_int_equal(writes[0].value, WAS | BIT(4));
	was = WAS | BIT(5);
	refuse = true;
	init_with(SPEC_GATHER_MITG | SPEC_RNG_MITG, 0);
	assert_int_equal(fake_log_warnings, 0);
	refuse = false;
	was = WAS;
}

/* A hypervisor below may not have what CPUID says: no crash, but a line */
static void test_refused(void **state)
{
	refuse = true;
	init_with(SPEC_TSX_OFF | SPEC_IBRS, SPEC_CTRL_IBRS);
	assert_int_equal(fake_log_warnings, 2);
	refuse = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_cleared),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
