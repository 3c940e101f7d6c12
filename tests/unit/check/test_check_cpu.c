/* SOURCES: check/cpu.c check/facts.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts from one core's CPUID and MSRs */
#include "check/facts.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "tests/unit/test.h"

static struct check_facts facts;

static bool is_intel, has_vmx;
static u32 max_ext, msrs_asked, phys_bits;
static bool has_sme;
static u64 syscfg;

static void name_to(u32 r[4], const char *name)
{
	memcpy(&r[LEAF_EBX], name, 4);
	memcpy(&r[LEAF_EDX], name + 4, 4);
	memcpy(&r[LEAF_ECX], name + 8, 4);
}

static void fake_cpuid(u32 leaf, u32 subleaf, u32 r[4])
{
	memset(r, 0, 4 * sizeof(u32));
	switch (leaf) {
	case CPUID_VENDOR:
		r[LEAF_EAX] = 0xb;
		name_to(r, is_intel ? "GenuineIntel" : "AuthenticAMD");
		break;
	case CPUID_FEATURES:
		r[LEAF_EAX] = is_intel ? 0x306f2 : 0xa20f10;
		r[LEAF_ECX] = has_vmx ? (u32)CPUID_1_ECX_VMX : 0;
		r[LEAF_EDX] =
			CPUID_1_EDX_APIC | CPUID_1_EDX_MCE | CPUID_1_EDX_MCA;
		break;
	case CPUID_TOPOLOGY:
		r[LEAF_EBX] = 2;
		r[LEAF_ECX] = 1 << 8;
		break;
	case CPUID_EXT_BASE:
		r[LEAF_EAX] = max_ext;
		break;
	case CPUID_EXT_FEATURES:
		r[LEAF_ECX] = is_intel ? 0 : (u32)CPUID_81_ECX_SVM;
		r[LEAF_EDX] = CPUID_81_EDX_LM | CPUID_81_EDX_NX;
		break;
	case CPUID_EXT_SIZES:
		r[LEAF_EAX] = 0x3000 | phys_bits;
		break;
	case CPUID_EXT_ENCRYPTION:
		r[LEAF_EAX] = has_sme ? (u32)CPUID_81F_EAX_SME : 0;
		r[LEAF_EBX] = has_sme ? 5u << CPUID_81F_EBX_LOST_SHIFT : 0;
		break;
	case CPUID_EXT_BRAND:
		memcpy(r, "  A fine CPU", 12);
		break;
	case CPUID_EXT_SVM:
		r[LEAF_EBX] = 16;
		r[LEAF_EDX] = CPUID_SVM_NP;
		break;
	default:
		break;
	}
}

/* Those of the fake core; another one would be a #GP */
static int fake_msr(u32 msr, u64 *value)
{
	msrs_asked++;
	switch (msr) {
	case MSR_APIC_BASE:
		*value = APIC_BASE_EN;
		return 0;
	case MSR_MCG_CAP:
		*value = 0x100 | 20;
		return 0;
	case MSR_UCODE_REV:
		*value = is_intel ? 0x49ull << 32 : 0xa201016;
		return 0;
	case MSR_MISC_ENABLE:
		assert_true(is_intel);
		*value = MISC_ENABLE_XD_DISABLE;
		return 0;
	case MSR_FEATURE_CONTROL:
	case MSR_VMX_PINBASED_CTLS:
	case MSR_VMX_EXIT_CTLS:
	case MSR_VMX_ENTRY_CTLS:
		assert_true(has_vmx);
		*value = 1;
		return 0;
	case MSR_VMX_BASIC:
	case MSR_VMX_PROCBASED_CTLS: /* no secondary controls */
		assert_true(has_vmx);
		*value = 0;
		return 0;
	case MSR_AMD_SYSCFG:
		assert_true(has_sme);
		*value = syscfg;
		return 0;
	case MSR_AMD_VM_CR:
		assert_false(is_intel);
		*value = VM_CR_SVMDIS;
		return 0;
	default:
		fail_msg("MSR %#x", msr);
		return -EIO;
	}
}

static void ask(bool with_msrs)
{
	const struct check_core core = { fake_cpuid,
					 with_msrs ? fake_msr : NULL };

	memset(&facts, 0, sizeof(facts));
	check_cpu(&facts, &core);
}

static void test_intel(void **state)
{
	is_intel = has_vmx = true;
	max_ext = CPUID_EXT_SIZES;
	ask(true);
	assert_int_equal(facts.value[FACT_VENDOR], CHECK_INTEL);
	assert_int_equal(facts.value[FACT_FAMILY], 6);
	assert_int_equal(facts.value[FACT_MODEL], 0x3f);
	assert_int_equal(facts.value[FACT_STEPPING], 2);
	assert_int_equal(facts.value[FACT_MICROCODE], 0x49);
	assert_int_equal(facts.value[FACT_MCE_BANKS], 20);
	assert_int_equal(facts.value[FACT_THREADS], 2);
	assert_true(check_is(&facts, FACT_NX));
	assert_true(check_not(&facts, FACT_SVM));
	assert_true(check_not(&facts, FACT_VMX_CPU2));
	assert_false(facts.known[FACT_VMX_EPT_VPID]);
	assert_false(facts.known[FACT_VM_CR]);
	assert_string_equal(facts.string[CHECK_CPU_NAME], "A fine CPU");
	has_vmx = false;
	ask(true);
	assert_false(facts.known[FACT_FEATURE_CONTROL]);
}

static void test_amd(void **state)
{
	is_intel = has_vmx = false;
	max_ext = CPUID_EXT_ENCRYPTION;
	ask(true);
	assert_int_equal(facts.value[FACT_VENDOR], CHECK_AMD);
	assert_int_equal(facts.value[FACT_FAMILY], 0x19);
	assert_int_equal(facts.value[FACT_MICROCODE], 0xa201016);
	assert_int_equal(facts.value[FACT_VM_CR], VM_CR_SVMDIS);
	assert_int_equal(facts.value[FACT_SVM_ASIDS], 16);
	msrs_asked = 0;
	ask(false);
	assert_int_equal(msrs_asked, 0);
	assert_false(facts.known[FACT_VM_CR]);
	assert_true(check_is(&facts, FACT_SVM));
	/* Without the leaf, there is no feature in it */
	max_ext = CPUID_EXT_BASE;
	ask(false);
	assert_true(check_not(&facts, FACT_NX));
}

static u64 bits_of(u32 bits, bool sme, bool on)
{
	phys_bits = bits;
	has_sme = sme;
	syscfg = on ? (u64)SYSCFG_MEM_ENCRYPTION : 0;
	ask(true);
	return facts.value[FACT_PHYS_BITS];
}

/* As the hypervisor's, less what memory encryption takes where it is on */
static void test_phys_bits(void **state)
{
	is_intel = has_vmx = false;
	max_ext = CPUID_EXT_ENCRYPTION;
	assert_int_equal(bits_of(48, false, false), 48);
	assert_int_equal(bits_of(48, true, false), 48);
	assert_int_equal(bits_of(48, true, true), 43);
	assert_int_equal(bits_of(0, false, false), CHECK_PHYS_BITS_OLD);
	/* Who may not read MSRs does not know that it is on */
	bits_of(48, true, true);
	ask(false);
	assert_int_equal(facts.value[FACT_PHYS_BITS], 48);
	has_sme = false;
	/* More is lost than there is: nobody can mean it */
	assert_int_equal(check_phys_bits(40, CPUID_81F_EAX_SME, 63u << 6,
					 SYSCFG_MEM_ENCRYPTION),
			 40);
}

static void test_unlike(void **state)
{
	struct check_facts boot;

	is_intel = has_vmx = true;
	max_ext = CPUID_EXT_SIZES;
	ask(false);
	boot = facts;
	assert_null(check_core_lacks(&boot, &facts));
	check_set(&boot, FACT_LA57, 1);
	assert_string_equal(check_core_lacks(&boot, &facts), "la57");
	assert_null(check_core_lacks(&facts, &boot));
	facts.value[FACT_VENDOR] = CHECK_AMD;
	assert_string_equal(check_core_lacks(&boot, &facts), "vendor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intel),
		cmocka_unit_test(test_amd),
		cmocka_unit_test(test_phys_bits),
		cmocka_unit_test(test_unlike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
