/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs that tell how fast the processor runs. Software reads them by vendor,
 * family and model, whatever CPUID says of power management. A guest has one
 * P-state, whose rate is the TSC's, in the steps that its family can express
 * (SDM 4 table 2-3; BKDG of families 0Fh to 16h; PPR of families 17h to 1Ah).
 * What is written to them is dropped. Called by hv/policy/msr.c.
 */
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/tsc.h"
#include "hv/policy/msr_table.h"
#include "include/hw/msr.h"
#include "lib/errno.h"

#define BUS_KHZ         100000u /* as leaf 16H says */
#define RATIO_SHIFT     8
#define RATIO_LOW_SHIFT 40
#define K8_BASE_KHZ     800000u
#define K8_FID_KHZ      100000u
#define K10_BASE_KHZ    1600000u
#define K10_FID_KHZ     100000u
#define K10_DID_SHIFT   6
#define K10_DID_MAX     4u
#define ZEN_FID_KHZ     25000u
#define ZEN_DID_ONE     8u /* eighths */
#define ZEN5_FID_KHZ    5000u

static u64 steps(u64 khz, u32 step_khz, u64 max)
{
	return MIN((khz + step_khz / 2) / step_khz, max);
}

/* Never 0: software divides by it */
static u64 ratio(void)
{
	return MAX(steps(tsc_khz, BUS_KHZ, 0xff), 1u);
}

int msr_read_ratio(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		   u64 *value)
{
	*value = ratio() << RATIO_SHIFT;
	return 0;
}

/* The highest ratio without turbo, and the most efficient one: the same */
int msr_read_platform(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		      u64 *value)
{
	*value = ratio() << RATIO_SHIFT | ratio() << RATIO_LOW_SHIFT;
	return 0;
}

int msr_read_hwcr(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		  u64 *value)
{
	*value = cpu_features.family >= AMD_FAMILY_K10 ? HWCR_TSC_FREQ_SEL : 0;
	return 0;
}

/* Families 10h to 16h: 100 MHz * (FID + 16) / 2^DID */
static u64 k10_rate(u64 khz)
{
	u64 did = 0;

	while ((khz << did) < K10_BASE_KHZ && did < K10_DID_MAX)
		did++;
	khz = MAX(khz << did, K10_BASE_KHZ) - K10_BASE_KHZ;
	return did << K10_DID_SHIFT | steps(khz, K10_FID_KHZ, 0x3f);
}

static u64 pstate_rate(void)
{
	u32 family = cpu_features.family;

	if (family < AMD_FAMILY_ZEN)
		return k10_rate(tsc_khz);
	if (family < AMD_FAMILY_ZEN5)
		return ZEN_DID_ONE << PSTATE_DID_SHIFT |
		       steps(tsc_khz, ZEN_FID_KHZ, PSTATE_FID_MASK);
	return steps(tsc_khz, ZEN5_FID_KHZ, PSTATE_ZEN5_FID_MASK);
}

/* P-state 0 and, without the enable bit, the status that repeats its rate */
int msr_read_pstate(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		    u64 *value)
{
	*value = pstate_rate() | (msr == MSR_AMD_PSTATE0 ? PSTATE_EN : 0);
	return 0;
}

/* Family 0Fh: 800 MHz + 100 MHz * FID; now, at start and at most */
int msr_read_fidvid(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		    u64 *value)
{
	u64 above = MAX(tsc_khz, K8_BASE_KHZ) - K8_BASE_KHZ;
	u64 fid = steps(above, K8_FID_KHZ, 0x3f);

	*value = fid << FIDVID_MAX_FID_SHIFT | fid << FIDVID_START_FID_SHIFT |
		 fid;
	return 0;
}
