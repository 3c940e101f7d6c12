/* SOURCES: */
/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/core/regs.h: CPL in every mode, register merges, canonical addresses */
#include "hv/core/regs.h"
#include "tests/unit/test.h"

#define SS_DPL(dpl)                                                            \
	.seg[SEG_SS].attr = SEG_ATTR_REAL_DATA | (dpl) << SEG_ATTR_DPL_SHIFT

static void test_cpl(void **state)
{
	struct vcpu_regs r = { .cr0 = CR0_PE, SS_DPL(3u) };

	assert_int_equal(vcpu_cpl(&r), 3);
	r = (struct vcpu_regs){ .cr0 = CR0_PE, SS_DPL(1u) };
	assert_int_equal(vcpu_cpl(&r), 1);
	/* A null SS in 64-bit code, and conforming code of a lower DPL */
	r = (struct vcpu_regs){ .cr0 = CR0_PE, SS_DPL(2u) };
	r.seg[SEG_SS].attr |= SEG_ATTR_UNUSABLE;
	r.seg[SEG_CS].attr = SEG_ATTR_REAL_CODE | SEG_ATTR_CONFORMING;
	assert_int_equal(vcpu_cpl(&r), 2);
}

static void test_cpl_outside_protected_mode(void **state)
{
	struct vcpu_regs r = { SS_DPL(3u) };

	assert_int_equal(vcpu_cpl(&r), 0);
	r = (struct vcpu_regs){ .cr0 = CR0_PE, .rflags = RFLAGS_VM };
	assert_int_equal(vcpu_cpl(&r), 3);
}

static void test_register_merge(void **state)
{
	const u64 old = 0x1122334455667788, value = 0xa1a2a3a4a5a6a7a8;

	assert_int_equal(gpr_merge(old, value, 1), 0x11223344556677a8);
	assert_int_equal(gpr_merge(old, value, 2), 0x112233445566a7a8);
	assert_int_equal(gpr_merge(old, value, 4), 0xa5a6a7a8);
	assert_int_equal(gpr_merge(old, value, 8), value);
}

static void test_canonical(void **state)
{
	assert_true(is_canonical(0x00007fffffffffff, LINEAR_4LEVEL));
	assert_false(is_canonical(0x0000800000000000, LINEAR_4LEVEL));
	assert_false(is_canonical(0xffff7fffffffffff, LINEAR_4LEVEL));
	assert_true(is_canonical(0xffff800000000000, LINEAR_4LEVEL));
	assert_true(is_canonical(0x0000800000000000, LINEAR_5LEVEL));
	assert_true(is_canonical(0x00ffffffffffffff, LINEAR_5LEVEL));
	assert_false(is_canonical(0x0100000000000000, LINEAR_5LEVEL));
	assert_false(is_canonical(0xfeffffffffffffff, LINEAR_5LEVEL));
	assert_true(is_canonical(0xff00000000000000, LINEAR_5LEVEL));
}

static void test_linear_bits(void **state)
{
	struct vcpu_regs r = { .cr4 = CR4_PAE };

	assert_int_equal(vcpu_linear_bits(&r), LINEAR_4LEVEL);
	r.cr4 |= CR4_LA57;
	assert_int_equal(vcpu_linear_bits(&r), LINEAR_5LEVEL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpl),
		cmocka_unit_test(test_cpl_outside_protected_mode),
		cmocka_unit_test(test_register_merge),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_linear_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
