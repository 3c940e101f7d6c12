/* SOURCES: arch/x86/machine/tsc_told.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which rate is believed of CPUs as they are: leaves 15H and 16H and MSRs of
 * named parts */
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/tsc_told.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "tests/unit/test.h"

struct part {
	const char *name;
	enum cpu_vendor vendor;
	u32 family, model, max_leaf;
	u32 ratio[3]; /* leaf 15H: EAX, EBX, ECX */
	u32 mhz;      /* leaf 16H: EAX */
	u64 pstate0;
	u64 told_khz, nominal_khz;
};

static const struct part parts[] = {
	{ "Core i7-6700K",
	  VENDOR_INTEL,
	  6,
	  0x5e,
	  0x16,
	  { 2, 333, 0 },
	  4000,
	  0,
	  0,
	  3996000 },
	{ "Core i7-8550U",
	  VENDOR_INTEL,
	  6,
	  0x8e,
	  0x16,
	  { 2, 166, 0 },
	  2000,
	  0,
	  0,
	  1992000 },
	/* 25 MHz or 24, and slowed down: nobody tells */
	{ "Xeon Gold 6130",
	  VENDOR_INTEL,
	  6,
	  0x55,
	  0x16,
	  { 2, 168, 0 },
	  2100,
	  0,
	  0,
	  2100000 },
	{ "Xeon Platinum 8380",
	  VENDOR_INTEL,
	  6,
	  0x6a,
	  0x1b,
	  { 2, 184, 25000000 },
	  2300,
	  0,
	  2300000,
	  2300000 },
	{ "Atom x7-E3950",
	  VENDOR_INTEL,
	  6,
	  0x5c,
	  0x15,
	  { 3, 249, 0 },
	  0,
	  0,
	  0,
	  1593600 },
	{ "Xeon E5-2680 v4",
	  VENDOR_INTEL,
	  6,
	  0x4f,
	  0x14,
	  { 0, 0, 0 },
	  0,
	  0,
	  0,
	  0 },
	/* The ratio is there, and says nothing */
	{ "a leaf of zeros",
	  VENDOR_INTEL,
	  6,
	  0x5e,
	  0x16,
	  { 0, 0, 0 },
	  0,
	  0,
	  0,
	  0 },
	{ "EPYC 7551",
	  VENDOR_AMD,
	  0x17,
	  1,
	  0xd,
	  { 0, 0, 0 },
	  0,
	  0x8000000045d00850,
	  0,
	  2000000 },
	{ "EPYC 9754",
	  VENDOR_AMD,
	  0x19,
	  0xa0,
	  0x10,
	  { 0, 0, 0 },
	  0,
	  0x800000004b100a5a,
	  0,
	  1800000 },
	{ "EPYC 9755",
	  VENDOR_AMD,
	  0x1a,
	  2,
	  0x10,
	  { 0, 0, 0 },
	  0,
	  0x8000000000000000 | 540,
	  0,
	  2700000 },
	/* P-state 0 is off, and what it would be is nothing */
	{ "an EPYC with no P-state",
	  VENDOR_AMD,
	  0x17,
	  1,
	  0xd,
	  { 0, 0, 0 },
	  0,
	  0x45d00850,
	  0,
	  0 },
	{ "Opteron 6174",
	  VENDOR_AMD,
	  0x10,
	  9,
	  5,
	  { 0, 0, 0 },
	  0,
	  0x8000000000000016,
	  0,
	  0 },
};

static const struct part *now;
static u32 timing_khz;

int rdmsr_safe(u32 msr, u64 *value)
{
	assert_int_equal(msr, MSR_AMD_PSTATE0);
	*value = now->pstate0;
	return now->pstate0 ? 0 : -EIO;
}

static struct cpuid read_leaf(u32 leaf, u32 subleaf)
{
	if (leaf == CPUID_HV_BASE)
		return (struct cpuid){ .eax = timing_khz ? CPUID_HV_TIMING
							 : CPUID_HV_BASE };
	if (leaf == CPUID_HV_TIMING)
		return (struct cpuid){ .eax = timing_khz };
	assert_true(leaf <= now->max_leaf);
	if (leaf == CPUID_TSC_RATIO)
		return (struct cpuid){ now->ratio[0], now->ratio[1],
				       now->ratio[2], 0 };
	assert_int_equal(leaf, CPUID_FREQUENCY);
	return (struct cpuid){ .eax = now->mhz };
}

static void use(const struct part *p)
{
	now = p;
	cpu_features.vendor = p->vendor;
	cpu_features.family = p->family;
	cpu_features.model = p->model;
	cpu_features.max_leaf = p->max_leaf;
	cpu_features.hypervisor = false;
	strcpy(cpu_features.hypervisor_name, "");
}

static void test_parts(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *by;

		use(&parts[i]);
		print_message("%s\n", now->name);
		assert_int_equal(tsc_told_khz(read_leaf, &by), now->told_khz);
		assert_int_equal(tsc_nominal_khz(read_leaf, &by),
				 now->nominal_khz);
	}
}

/* Its leaf counts where it is known to mean that, and P-states of AMD's are not
 * the machine's there */
static void test_below_a_hypervisor(void **state)
{
	const char *by;

	timing_khz = 2445243;
	use(&parts[7]);
	assert_int_equal(tsc_told_khz(read_leaf, &by), 0);
	cpu_features.hypervisor = true;
	strcpy(cpu_features.hypervisor_name, "TCGTCGTCGTCG");
	assert_int_equal(tsc_told_khz(read_leaf, &by), 0);
	assert_int_equal(tsc_nominal_khz(read_leaf, &by), 0);
	strcpy(cpu_features.hypervisor_name, "KVMKVMKVM");
	assert_int_equal(tsc_told_khz(read_leaf, &by), 2445243);
	assert_string_equal(by, "the hypervisor below");
	timing_khz = 0;
	assert_int_equal(tsc_told_khz(read_leaf, &by), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_below_a_hypervisor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
