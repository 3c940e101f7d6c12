/* SOURCES: hv/policy/cpuid.c hv/policy/cpuid_table.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUID policy over the leaves of the machine the test runs on */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "hv/core/vcpu.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/cpuid_table.h"
#include "include/bulkhead/cpuid.h"
#include "include/hw/cpu.h"
#include "include/hw/cpuid.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/test.h"

static struct vm vm;
static struct vcpu vcpu;

static void build(u32 vcpus, enum cpu_vendor vendor)
{
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	cpu_features = (struct cpu_features){
		.vendor = vendor,
		.max_leaf = cpuid(0).eax,
		.max_ext_leaf = cpuid(CPUID_EXT_BASE).eax,
		.xsave = true,
		.xcr0_mask = BITS(19, 0),
	};
	vm.vcpu_count = vcpus;
	vcpu.vm = &vm;
	vcpu.hw.regs.valid = RG_ALL;
	tsc_khz = 2000000;
	assert_int_equal(cpuid_build(&vm), 0);
	assert_int_equal(vm.budget.used_pages, 1);
}

static void ask(u32 leaf, u32 sub, u32 out[4])
{
	u64 *gpr = vcpu.hw.regs.gpr;

	gpr[GPR_RAX] = leaf | 0xdead00000000ull; /* upper halves go */
	gpr[GPR_RCX] = sub | 0xdead00000000ull;
	cpuid_exit(&vcpu);
	out[0] = (u32)gpr[GPR_RAX];
	out[1] = (u32)gpr[GPR_RBX];
	out[2] = (u32)gpr[GPR_RCX];
	out[3] = (u32)gpr[GPR_RDX];
	assert_int_equal(gpr[GPR_RAX] >> 32, 0);
	assert_int_equal(gpr[GPR_RDX] >> 32, 0);
}

static void assert_zero(u32 leaf, u32 sub)
{
	u32 r[4];

	ask(leaf, sub, r);
	assert_int_equal(r[0] | r[1] | r[2] | r[3], 0);
}

static void test_rules_sorted_without_gaps(void **state)
{
	for (u32 i = 1; i < cpuid_rule_count; i++) {
		const struct cpuid_rule *a = &cpuid_rules[i - 1];
		const struct cpuid_rule *b = &cpuid_rules[i];

		assert_true(a->first <= a->last);
		if (a->leaf == b->leaf) {
			assert_true(a->subleaves && b->subleaves);
			assert_int_equal(b->first, a->last + 1);
		} else {
			assert_true(a->leaf < b->leaf);
			assert_int_equal(b->first, 0);
		}
	}
}

static void test_hidden_and_forced(void **state)
{
	u32 r[4];

	build(1, VENDOR_INTEL);
	ask(CPUID_FEATURES, 0, r);
	assert_false(r[2] & (CPUID_1_ECX_VMX | CPUID_1_ECX_MONITOR |
			     CPUID_1_ECX_SMX | CPUID_1_ECX_PDCM));
	assert_true(r[2] & CPUID_1_ECX_HYPERVISOR);
	assert_true(r[2] & CPUID_1_ECX_X2APIC);
	assert_true(r[2] & CPUID_1_ECX_TSC_DEADLINE);
	ask(CPUID_EXT_FEATURES, 0, r);
	assert_false(r[2] & CPUID_81_ECX_SVM);
	ask(CPUID_EXT_POWER, 0, r);
	assert_int_equal(r[3], CPUID_87_EDX_INVARIANT_TSC);
	ask(CPUID_FEATURES7, 0, r);
	assert_false(r[1] & (CPUID_7_EBX_SGX | CPUID_7_EBX_RTM |
			     CPUID_7_EBX_PT | CPUID_7_EBX_MPX));
	assert_true(r[1] & CPUID_7_EBX_TSC_ADJUST);
	ask(CPUID_XSAVE, 1, r);
	assert_false(r[0] & CPUID_D1_EAX_XSAVES);
	cpuid_destroy(&vm);
	fake_pool_check(&vm.budget);
}

static void test_absent_leaves_are_zero(void **state)
{
	static const u32 leaves[] = { 3,          5,          0xa,
				      0x12,       0x14,       0x1f,
				      0x3f,       0x40,       0x3fffffff,
				      0x40000002, 0x40000200, 0x8000000a,
				      0x80000040, 0xbfffffff, 0xc0000000,
				      0xc0000001, 0xffffffff };

	build(2, VENDOR_AMD);
	for (u32 i = 0; i < ARRAY_SIZE(leaves); i++)
		assert_zero(leaves[i], 0);
	assert_zero(CPUID_CACHE, 100);
	assert_zero(CPUID_XSAVE, 63);
	assert_zero(CPUID_XSAVE, 0xffffffff);
	cpuid_destroy(&vm);
	fake_pool_check(&vm.budget);
}

static void test_topology_agrees(void **state)
{
	u32 r[4];

	build(6, VENDOR_AMD);
	vcpu.id = 5;
	ask(CPUID_FEATURES, 0, r);
	assert_int_equal(r[1] >> 24, 5);
	assert_int_equal(r[1] >> 16 & 0xff, 8);
	assert_true(r[3] & CPUID_1_EDX_HTT);
	ask(CPUID_TOPOLOGY, 0, r);
	assert_int_equal(r[0], 0);
	assert_int_equal(r[1], 1);
	assert_int_equal(r[2], 0x100);
	assert_int_equal(r[3], 5);
	ask(CPUID_TOPOLOGY, 1, r);
	assert_int_equal(r[0], 3);
	assert_int_equal(r[1], 6);
	assert_int_equal(r[2], 0x201);
	ask(CPUID_EXT_SIZES, 0, r);
	assert_int_equal(r[2], 3 << 12 | 5);
	ask(CPUID_EXT_TOPOLOGY, 0, r);
	assert_int_equal(r[0], 5);
	cpuid_destroy(&vm);
	fake_pool_check(&vm.budget);
}

static void test_what_the_guest_set_shows(void **state)
{
	u32 r[4], small;

	build(1, VENDOR_INTEL);
	ask(CPUID_FEATURES, 0, r);
	assert_false(r[2] & CPUID_1_ECX_OSXSAVE);
	vcpu.hw.regs.cr4 = CR4_OSXSAVE;
	ask(CPUID_FEATURES, 0, r);
	assert_true(r[2] & CPUID_1_ECX_OSXSAVE);
	vcpu.hw.regs.xcr0 = XCR0_X87 | XCR0_SSE;
	ask(CPUID_XSAVE, 0, r);
	small = r[1];
	assert_int_equal(small, 576);
	assert_true(r[2] >= small);
	assert_int_equal(r[0] & ~(u32)vm.xcr0_mask, 0);
	assert_false(vm.xcr0_mask & (BITS(4, 3) | BITS(18, 17)));
	cpuid_destroy(&vm);
	fake_pool_check(&vm.budget);
}

static void test_own_leaves(void **state)
{
	u32 r[4];

	build(3, VENDOR_AMD);
	ask(CPUID_HV_BASE, 7, r);
	assert_memory_equal(&r[1], "KVMKVMKVM\0\0\0", 12);
	ask(BH_CPUID_BASE, 0, r);
	assert_int_equal(r[0], BH_CPUID_INFO);
	assert_memory_equal(&r[1], "BulkheadHype", 12);
	ask(BH_CPUID_INFO, 0, r);
	assert_int_equal(r[2], tsc_khz);
	assert_int_equal(r[3], 3);
	cpuid_destroy(&vm);
	fake_pool_check(&vm.budget);
}

static void test_every_maximum_is_served(void **state)
{
	u32 r[4];

	build(1, VENDOR_INTEL);
	ask(0, 0, r);
	assert_in_range(r[0], CPUID_XSAVE, 0x16);
	ask(CPUID_EXT_BASE, 0, r);
	assert_in_range(r[0], CPUID_EXT_SIZES, 0x80000021);
	ask(CPUID_EXT_SIZES, 0, r);
	assert_int_equal(vm.phys_bits, r[0] & 0xff);
	cpuid_destroy(&vm);
	fake_pool_check(&vm.budget);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_sorted_without_gaps),
		cmocka_unit_test(test_hidden_and_forced),
		cmocka_unit_test(test_absent_leaves_are_zero),
		cmocka_unit_test(test_topology_agrees),
		cmocka_unit_test(test_what_the_guest_set_shows),
		cmocka_unit_test(test_own_leaves),
		cmocka_unit_test(test_every_maximum_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
