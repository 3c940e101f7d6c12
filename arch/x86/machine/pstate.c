/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See pstate.h. Called by hv/init.c. Firmware hands many Intel servers over at
 * the rate on the label, or below it, and leaves turbo and HWP to the system.
 * HWP stays off then: it could not be turned off again.
 */
#include "arch/x86/machine/pstate.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/percpu.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/log.h"

#define INTEL_FAMILY 6u
#define RATIO_MASK   0xffull
#define RATIO_SHIFT  8 /* in PERF_CTL and PLATFORM_INFO */

/* Atoms up to Airmont ask for a voltage, too, and Knights' table of turbo
 * ratios is another (SDM 4): they keep what they have */
static const u8 other_models[] = { 0x37, 0x4a, 0x4c, 0x4d, 0x57,
				   0x5a, 0x5d, 0x75, 0x85 };

static bool has_usual_msrs(void)
{
	if (cpu_features.family != INTEL_FAMILY)
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(other_models); i++)
		if (cpu_features.model == other_models[i])
			return false;
	return true;
}

static u64 read_or_zero(u32 msr)
{
	u64 value;

	return rdmsr_safe(msr, &value) ? 0 : value;
}

static struct cpuid leaf_or_zero(u32 leaf)
{
	u32 last = leaf >= CPUID_EXT_BASE ? cpu_features.max_ext_leaf
					  : cpu_features.max_leaf;

	return leaf <= last ? cpuid(leaf) : (struct cpuid){ 0 };
}

/* With turbo the highest that a core alone has, else that of the label (SDM 3B
 * 15.3.2 *System Software Interfaces for Opportunistic Processor Performance
 * Operation*); 0: unknown */
static u64 highest_ratio(bool turbo)
{
	u64 label = read_or_zero(MSR_PLATFORM_INFO) >> RATIO_SHIFT & RATIO_MASK;
	u64 most = turbo ? read_or_zero(MSR_TURBO_RATIO_LIMIT) & RATIO_MASK : 0;

	return MAX(label, most);
}

static bool intel_is_ours(const struct cpuid *power)
{
	if (!has_usual_msrs() ||
	    !(leaf_or_zero(CPUID_FEATURES).ecx & CPUID_1_ECX_EIST) ||
	    !(read_or_zero(MSR_MISC_ENABLE) & MISC_ENABLE_EIST))
		return false;
	return !(power->eax & CPUID_6_EAX_HWP) ||
	       !(read_or_zero(MSR_PM_ENABLE) & PM_ENABLE_HWP);
}

static void intel_init(void)
{
	struct cpuid power = leaf_or_zero(CPUID_POWER);
	bool turbo = power.eax & CPUID_6_EAX_TURBO;
	u64 value, was, most;

	if (!intel_is_ours(&power) || rdmsr_safe(MSR_PERF_CTL, &value))
		return;
	was = value >> RATIO_SHIFT & RATIO_MASK;
	most = highest_ratio(turbo);
	if (was >= most && !(turbo && (value & PERF_CTL_TURBO_OFF)))
		return;
	value &= ~(PERF_CTL_TURBO_OFF | RATIO_MASK << RATIO_SHIFT | RATIO_MASK);
	if (wrmsr_safe(MSR_PERF_CTL, value | MAX(was, most) << RATIO_SHIFT))
		return;
	if (!this_cpu()->id)
		log_info("cpu",
			 "firmware left cores at %llu times the bus clock: "
			 "%llu times are asked for",
			 was, MAX(was, most));
}

/* PPR of family 17h, MSRC001_0062 *P-state Control*; CPPC instead where it is
 * enabled (APM 2 17.6 *Collaborative Processor Performance Control*). Boost is
 * on unless HWCR says otherwise, which is setup's. */
static void amd_init(void)
{
	u64 value;

	if (cpu_features.family < AMD_FAMILY_K10 ||
	    !(leaf_or_zero(CPUID_EXT_POWER).edx & CPUID_87_EDX_HWPSTATE))
		return;
	if ((leaf_or_zero(CPUID_EXT_SIZES).ebx & CPUID_88_EBX_CPPC) &&
	    (read_or_zero(MSR_AMD_CPPC_ENABLE) & AMD_CPPC_ON))
		return;
	if (rdmsr_safe(MSR_AMD_PSTATE_CTL, &value) || !value ||
	    wrmsr_safe(MSR_AMD_PSTATE_CTL, 0))
		return;
	if (!this_cpu()->id)
		log_info("cpu",
			 "firmware left cores in P-state %llu: 0 is asked for",
			 value);
}

void pstate_init_cpu(void)
{
	if (cpu_features.hypervisor)
		return;
	if (cpu_features.vendor == VENDOR_INTEL)
		intel_init();
	else if (cpu_features.vendor == VENDOR_AMD)
		amd_init();
}
