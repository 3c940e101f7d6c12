/* SPDX-License-Identifier: BSD-2-Clause */
/* The rates that CPUID and MSRs tell, see tsc_told.h. Called by tsc.c. */
#include "arch/x86/machine/tsc_told.h"

#include "arch/x86/cpu/features.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/string.h"

#define INTEL_FAMILY 6u

/*
 * Crystals of CPUs whose leaf 15H leaves them out (SDM 3B table 20-91 *Nominal
 * Core Crystal Clock Frequency*). Model 55H is not here, although that table
 * has it: its workstations have another crystal than its servers, whose boards
 * slow it down by a quarter of a percent besides.
 */
static const struct {
	u32 model, hz;
} crystals[] = {
	{ 0x4e, 24000000 },                     /* Skylake */
	{ 0x5e, 24000000 }, { 0x8e, 24000000 }, /* Kaby Lake */
	{ 0x9e, 24000000 }, { 0x5c, 19200000 }, /* Goldmont */
};

static u32 documented_crystal(void)
{
	if (cpu_features.vendor != VENDOR_INTEL ||
	    cpu_features.family != INTEL_FAMILY)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(crystals); i++)
		if (crystals[i].model == cpu_features.model)
			return crystals[i].hz;
	return 0;
}

/* SDM 2A CPUID, leaf 15H *Time Stamp Counter and Nominal Core Crystal Clock*:
 * a register that is 0 is not enumerated */
static struct cpuid tsc_ratio(cpuid_reader read)
{
	if (cpu_features.max_leaf < CPUID_TSC_RATIO)
		return (struct cpuid){ 0 };
	return read(CPUID_TSC_RATIO, 0);
}

static u64 khz_of(const struct cpuid *ratio, u64 crystal_hz)
{
	return ratio->eax ? crystal_hz * ratio->ebx / ratio->eax / 1000 : 0;
}

/* Told when the leaf is complete, with the crystal's rate in it */
static u64 khz_from_leaf(cpuid_reader read)
{
	struct cpuid ratio = tsc_ratio(read);

	return khz_of(&ratio, ratio.ecx);
}

/* Nominal when the crystal is the SDM's: boards have others */
static u64 khz_from_documented(cpuid_reader read)
{
	struct cpuid ratio = tsc_ratio(read);

	return ratio.ecx ? 0 : khz_of(&ratio, documented_crystal());
}

/* The timing leaf of a hypervisor below, of those that are known to have it */
static u64 khz_from_hypervisor(cpuid_reader read)
{
	static const char *const known[] = { "VMwareVMware", "KVMKVMKVM" };

	if (!cpu_features.hypervisor ||
	    read(CPUID_HV_BASE, 0).eax < CPUID_HV_TIMING)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(cpu_features.hypervisor_name, known[i]) == 0)
			return read(CPUID_HV_TIMING, 0).eax;
	return 0;
}

u64 tsc_told_khz(cpuid_reader read, const char **by)
{
	u64 khz = khz_from_leaf(read);

	*by = "CPUID 15h";
	if (khz)
		return khz;
	*by = "the hypervisor below";
	return khz_from_hypervisor(read);
}

/* SDM 2A CPUID, leaf 16H: MHz, rounded, of what the label says */
static u64 khz_from_frequency(cpuid_reader read)
{
	if (cpu_features.vendor != VENDOR_INTEL ||
	    cpu_features.max_leaf < CPUID_FREQUENCY)
		return 0;
	return (u64)(read(CPUID_FREQUENCY, 0).eax & 0xffff) * 1000;
}

#define AMD_FID_KHZ      200000 /* 25 MHz steps over a divisor in eighths */
#define AMD_ZEN5_FID_KHZ 5000   /* in steps of 5 MHz */

/* P-state 0 is the TSC's rate (PPR for family 17h to 1Ah, MSRC001_0064) */
static u64 khz_from_pstate(void)
{
	u64 p, did;

	if (cpu_features.vendor != VENDOR_AMD || cpu_features.hypervisor ||
	    cpu_features.family < AMD_FAMILY_ZEN ||
	    rdmsr_safe(MSR_AMD_PSTATE0, &p) || !(p & PSTATE_EN))
		return 0;
	if (cpu_features.family >= AMD_FAMILY_ZEN5)
		return (p & PSTATE_ZEN5_FID_MASK) * AMD_ZEN5_FID_KHZ;
	did = p >> PSTATE_DID_SHIFT & PSTATE_DID_MASK;
	return did ? (p & PSTATE_FID_MASK) * AMD_FID_KHZ / did : 0;
}

u64 tsc_nominal_khz(cpuid_reader read, const char **by)
{
	u64 khz = khz_from_documented(read);

	*by = "CPUID 15h with this model's usual crystal";
	if (khz)
		return khz;
	khz = khz_from_frequency(read);
	*by = "CPUID 16h";
	if (khz)
		return khz;
	*by = "P-state 0";
	return khz_from_pstate();
}
