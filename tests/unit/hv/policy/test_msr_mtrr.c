/* SOURCES: hv/policy/mtrr.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* MTRRs as an isolated guest and the privileged one see them */
#include "arch/x86/cpu/asm.h"
#include "hv/policy/msr.h"
#include "hv/policy/msr_table.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "tests/unit/test.h"

#define HANDLERS(name) msr_read_##name, msr_write_##name

struct mtrrs host_mtrrs;
static struct vm vm;
static struct vcpu vcpu;

static const struct msr_rule rules[] = {
	{ .first = MSR_MTRRCAP, .last = MSR_MTRRCAP, .read = msr_read_mtrrcap },
	{ MSR_MTRR_PHYSBASE0, MSR_MTRR_PHYSBASE0 + 2 * MTRR_VAR_MAX - 1,
	  GATE_MTRR, PASS_NONE, HANDLERS(mtrr_var), 0 },
	{ MSR_MTRR_FIX64K_00000, MSR_MTRR_FIX4K_C0000 + 7, GATE_MTRR, PASS_NONE,
	  HANDLERS(mtrr_fixed), 0 },
	{ MSR_MTRR_DEF_TYPE, MSR_MTRR_DEF_TYPE, GATE_MTRR, PASS_NONE,
	  HANDLERS(mtrr_def_type), 0 },
	{ .first = MSR_AMD_SYSCFG,
	  .last = MSR_AMD_SYSCFG,
	  .read = msr_read_top_mem,
	  .value = SYSCFG_TOM2 },
};

int rdmsr_safe(u32 msr, u64 *value)
{
	*value = ~0ull;
	return 0;
}

static const struct msr_rule *rule_of(u32 msr)
{
	const struct msr_rule *r = rules;

	while (msr < r->first || msr > r->last)
		assert_true(++r < rules + ARRAY_SIZE(rules));
	return r;
}

static int setup(void **state)
{
	memset(&vcpu, 0, sizeof(vcpu));
	vm = (struct vm){ .phys_bits = 40 };
	vcpu.vm = &vm;
	mtrr_reset(&vcpu);
	return 0;
}

static u64 read_ok(u32 msr)
{
	const struct msr_rule *r = rule_of(msr);
	u64 value = 0;

	assert_int_equal(r->read(&vcpu, r, msr, &value), 0);
	return value;
}

static void write_ok(u32 msr, u64 value)
{
	const struct msr_rule *r = rule_of(msr);

	assert_int_equal(r->write(&vcpu, r, msr, value), 0);
}

static void write_gp(u32 msr, u64 value)
{
	const struct msr_rule *r = rule_of(msr);

	assert_int_equal(r->write(&vcpu, r, msr, value), -EINVAL);
}

static void test_isolated(void **state)
{
	const u64 beyond = BIT(40);

	assert_int_equal(read_ok(MSR_MTRRCAP), MTRRCAP_WC | MTRRCAP_FIX | 8);
	write_gp(MSR_MTRR_DEF_TYPE, MTRR_DEF_E | 2); /* no such type */
	write_gp(MSR_MTRR_DEF_TYPE, MTRR_DEF_E | MEM_UC_MINUS);
	write_ok(MSR_MTRR_PHYSBASE0 + 14, 0xc0000000 | MEM_UC);
	write_ok(MSR_MTRR_PHYSMASK0 + 14, 0xc0000000 | MTRR_MASK_VALID);
	assert_int_equal(read_ok(MSR_MTRR_PHYSBASE0 + 14), 0xc0000000);
	assert_int_equal(read_ok(MSR_MTRR_PHYSMASK0 + 14), 0xc0000800);
	write_gp(MSR_MTRR_PHYSBASE0, BIT(11));
	write_gp(MSR_MTRR_PHYSBASE0, 3);
	write_gp(MSR_MTRR_PHYSBASE0, beyond);
	write_gp(MSR_MTRR_PHYSMASK0, BIT(10));
	write_gp(MSR_MTRR_PHYSMASK0, beyond);
	write_gp(MSR_MTRR_PHYSBASE0 + 16, 0); /* VCNT is 8 */
	write_ok(MSR_MTRR_FIX64K_00000, 0x0606060606060606);
	write_ok(MSR_MTRR_FIX16K_A0000, 0x0101010101010101);
	write_ok(MSR_MTRR_FIX4K_C0000 + 7, 0x0505050505050505);
	assert_true(read_ok(MSR_MTRR_FIX16K_A0000) == 0x0101010101010101);
	assert_true(read_ok(MSR_MTRR_FIX4K_C0000 + 7) == 0x0505050505050505);
	write_gp(MSR_MTRR_FIX16K_80000, 0x0606060606060706);
	mtrr_reset(&vcpu);
	assert_int_equal(read_ok(MSR_MTRR_FIX64K_00000), 0);
	assert_int_equal(read_ok(MSR_MTRR_PHYSBASE0 + 14), 0);
}

/* The privileged guest reads the machine's own and cannot change them */
static void test_privileged(void **state)
{
	vm.privileged = true;
	host_mtrrs = (struct mtrrs){
		.cap = MTRRCAP_FIX | MTRRCAP_WC | BIT(11) | 10,
		.def_type = MTRR_DEF_E | MEM_UC,
		.var[18] = 0x80000000 | MEM_WC,
		.fixed[10] = 0x0505050505050505,
	};
	mtrr_reset(&vcpu);
	assert_int_equal(read_ok(MSR_MTRRCAP), MTRRCAP_FIX | MTRRCAP_WC | 10);
	assert_int_equal(read_ok(MSR_MTRR_DEF_TYPE), MTRR_DEF_E | MEM_UC);
	assert_int_equal(read_ok(MSR_MTRR_PHYSBASE0 + 18), 0x80000001);
	assert_true(read_ok(MSR_MTRR_FIX4K_C0000 + 7) == 0x0505050505050505);
	write_gp(MSR_MTRR_PHYSBASE0 + 20, 0);
	write_gp(MSR_MTRR_PHYSBASE0 + 18, 3);
	write_ok(MSR_MTRR_PHYSBASE0 + 18, 0);
	write_ok(MSR_MTRR_DEF_TYPE, 0);
	write_ok(MSR_MTRR_FIX4K_C0000 + 7, 0);
	assert_int_equal(read_ok(MSR_MTRR_PHYSBASE0 + 18), 0x80000001);
	assert_int_equal(read_ok(MSR_MTRR_DEF_TYPE), MTRR_DEF_E | MEM_UC);
	assert_true(read_ok(MSR_MTRR_FIX4K_C0000 + 7) == 0x0505050505050505);
	assert_int_equal(read_ok(MSR_AMD_SYSCFG), SYSCFG_TOM2);
	vm.privileged = false;
	assert_int_equal(read_ok(MSR_AMD_SYSCFG), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_isolated, setup),
		cmocka_unit_test_setup(test_privileged, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
