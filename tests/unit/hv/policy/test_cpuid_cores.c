/* SOURCES: hv/policy/cpuid_cores.c hv/policy/cpuid_table.c arch/x86/cpu/features.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine whose cores differ: the boot core is the one the test runs on, the
 * others are that one with a bit less, or with more.
 */
#include "arch/x86/cpu/features.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/cpuid_table.h"
#include "tests/unit/test.h"

const struct vcpu_ops *vcpu_ops;

/* What another core's CPUID has in one register */
static struct {
	u32 leaf, sub;
	enum cpuid_reg reg;
	u32 clear, set;
} other;

int rdmsr_safe(u32 msr, u64 *value)
{
	return -1;
}

int wrmsr_safe(u32 msr, u64 value)
{
	return -1;
}

static struct cpuid other_core(u32 leaf, u32 sub)
{
	struct cpuid c = cpuid_count(leaf, sub);
	u32 *regs[] = { &c.eax, &c.ebx, &c.ecx, &c.edx };

	if (leaf == other.leaf && sub == other.sub)
		*regs[other.reg] =
			(*regs[other.reg] & ~other.clear) | other.set;
	return c;
}

static void differ(u32 leaf, u32 sub, enum cpuid_reg reg, u32 clear, u32 set)
{
	other.leaf = leaf;
	other.sub = sub;
	other.reg = reg;
	other.clear = clear;
	other.set = set;
}

static int setup(void **state)
{
	differ(0, 99, LEAF_EAX, 0, 0);
	memset(&cpu_features, 0, sizeof(cpu_features));
	cpu_features_init();
	cpuid_note_boot_core(cpuid_count);
	return 0;
}

/* Family, model, brand, caches, APIC id, and what was not there before */
static void test_like_or_better(void **state)
{
	assert_null(cpu_features_lacking(other_core));
	assert_null(cpuid_core_lacks(other_core));
	differ(CPUID_FEATURES, 0, LEAF_EAX, ~0u, 0x906a3);
	assert_null(cpu_features_lacking(other_core));
	assert_null(cpuid_core_lacks(other_core));
	differ(CPUID_FEATURES, 0, LEAF_EBX, ~0u, 0x12345678);
	assert_null(cpuid_core_lacks(other_core));
	differ(CPUID_FEATURES7, 0, LEAF_EBX, 0, ~0u);
	assert_null(cpu_features_lacking(other_core));
	assert_null(cpuid_core_lacks(other_core));
	differ(CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_OSXSAVE, 0);
	assert_null(cpuid_core_lacks(other_core));
}

static void test_guests_would_miss_it(void **state)
{
	differ(CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_SSE4_2, 0);
	assert_string_equal(cpuid_core_lacks(other_core),
			    "features of CPUID 1:ECX");
	differ(CPUID_EXT_FEATURES, 0, LEAF_EDX, CPUID_81_EDX_LM, 0);
	assert_string_equal(cpuid_core_lacks(other_core),
			    "features of CPUID 80000001:EDX");
	/* One that no guest is told of */
	differ(CPUID_FEATURES, 0, LEAF_EDX, BIT(29), 0);
	assert_null(cpuid_core_lacks(other_core));
}

static void test_we_would_miss_it(void **state)
{
	cpu_features.nx = true;
	differ(CPUID_EXT_FEATURES, 0, LEAF_EDX, CPUID_81_EDX_NX, 0);
	assert_string_equal(cpu_features_lacking(other_core), "nx");
	differ(CPUID_EXT_SIZES, 0, LEAF_EAX, 0xff, 33);
	cpu_features.phys_bits = 36;
	assert_string_equal(cpu_features_lacking(other_core),
			    "physical address bits");
	differ(CPUID_VENDOR, 0, LEAF_EBX, ~0u, 0);
	if (cpu_features.vendor != VENDOR_OTHER)
		assert_string_equal(cpu_features_lacking(other_core),
				    "the vendor");
	differ(CPUID_VENDOR, 0, LEAF_EAX, ~0u, 1);
	assert_string_equal(cpu_features_lacking(other_core),
			    "leaves of CPUID");
	differ(CPUID_XSAVE, 0, LEAF_EAX, BIT(2), 0);
	cpu_features.xsave = true;
	cpu_features.xcr0_mask = BIT(2);
	assert_string_equal(cpu_features_lacking(other_core),
			    "components of XSAVE");
}

static void test_svm(void **state)
{
	cpu_features.svm = true;
	cpu_features.max_ext_leaf = CPUID_EXT_SVM;
	cpu_features.svm_features = BIT(3);
	cpu_features.svm_asids = 8;
	differ(CPUID_EXT_SVM, 0, LEAF_EDX, ~0u, 0);
	/* The host of the test may lack the flag itself */
	assert_non_null(cpu_features_lacking(other_core));
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_like_or_better),
		T(test_guests_would_miss_it),
		T(test_we_would_miss_it),
		T(test_svm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
