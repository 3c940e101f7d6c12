/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RDMSR and WRMSR by the policy table. Called by the exit handlers on the
 * vCPU's home core. The timer and the x2APIC registers are the hot ones and
 * come before the search; nothing here takes a lock.
 */
#include "hv/policy/msr.h"

#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/nospec.h"
#include "hv/irq/vlapic.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/msr_table.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "lib/stack_guard.h"

/* A gate is open when any of its CPUID bits is there */
struct gate_row {
	enum msr_gate gate;
	u32 leaf;
	enum cpuid_reg reg;
	u64 bits;
};

/* clang-format off */
static const struct gate_row gates[] = {
	{ GATE_MTRR, CPUID_FEATURES, LEAF_EDX, CPUID_1_EDX_MTRR },
	{ GATE_MCA, CPUID_FEATURES, LEAF_EDX, CPUID_1_EDX_MCA },
	{ GATE_PAT, CPUID_FEATURES, LEAF_EDX, CPUID_1_EDX_PAT },
	{ GATE_SYSENTER, CPUID_FEATURES, LEAF_EDX, CPUID_1_EDX_SEP },
	{ GATE_LONG_MODE, CPUID_EXT_FEATURES, LEAF_EDX, CPUID_81_EDX_LM },
	{ GATE_RDTSCP, CPUID_EXT_FEATURES, LEAF_EDX, CPUID_81_EDX_RDTSCP },
	{ GATE_RDTSCP, CPUID_FEATURES7, LEAF_ECX, CPUID_7_ECX_RDPID },
	{ GATE_SPEC_CTRL, CPUID_FEATURES7, LEAF_EDX,
	  CPUID_7_EDX_SPEC_CTRL | CPUID_7_EDX_STIBP | CPUID_7_EDX_SSBD },
	{ GATE_SPEC_CTRL, CPUID_EXT_SIZES, LEAF_EBX,
	  CPUID_88_EBX_IBRS | CPUID_88_EBX_STIBP | CPUID_88_EBX_SSBD },
	{ GATE_IBPB, CPUID_FEATURES7, LEAF_EDX, CPUID_7_EDX_SPEC_CTRL },
	{ GATE_IBPB, CPUID_EXT_SIZES, LEAF_EBX, CPUID_88_EBX_IBPB },
	{ GATE_ARCH_CAP, CPUID_FEATURES7, LEAF_EDX, CPUID_7_EDX_ARCH_CAP },
};
/* clang-format on */

/* Gates that a vendor's families open, from first to last; the gates after them
 * are CPUID's */
static const struct family_row {
	enum cpu_vendor vendor;
	u32 first, last;
} family_gates[] = {
	[GATE_INTEL] = { VENDOR_INTEL, 0, ~0u },
	[GATE_AMD] = { VENDOR_AMD, 0, ~0u },
	[GATE_AMD_K8] = { VENDOR_AMD, AMD_FAMILY_K8, AMD_FAMILY_K8 },
	[GATE_AMD_PSTATE] = { VENDOR_AMD, AMD_FAMILY_K10, ~0u },
	[GATE_AMD_COFVID] = { VENDOR_AMD, AMD_FAMILY_K10, AMD_FAMILY_ZEN - 1 },
	[GATE_AMD_ZEN] = { VENDOR_AMD, AMD_FAMILY_ZEN, ~0u },
};

static bool family_in(const struct family_row *row)
{
	return cpu_features.vendor == row->vendor &&
	       cpu_features.family >= row->first &&
	       cpu_features.family <= row->last;
}

bool msr_gate_open(const struct vm *vm, enum msr_gate gate)
{
	if (gate == GATE_ALWAYS)
		return true;
	if (gate < ARRAY_SIZE(family_gates))
		return family_in(&family_gates[gate]);
	for (u32 i = 0; i < ARRAY_SIZE(gates); i++)
		if (gates[i].gate == gate &&
		    cpuid_has(vm, gates[i].leaf, gates[i].reg, gates[i].bits))
			return true;
	return false;
}

#define LOW_MSRS 0x400u

/* Of each MSR below LOW_MSRS the number of its rule, from 1. 0: there is none,
 * or it was not filled in. The search would take most of such an exit. */
static u8 low_rules[LOW_MSRS];

/* The same at each call: no lock */
static void low_rules_fill(void)
{
	u32 count = MIN(msr_rule_count, 255u);

	for (u32 i = 0; i < count && msr_rules[i].last < LOW_MSRS; i++)
		for (u32 msr = msr_rules[i].first; msr <= msr_rules[i].last;
		     msr++)
			low_rules[msr] = (u8)(i + 1);
}

/* The rule for @msr, whoever has that register, or NULL */
static const struct msr_rule *msr_search(u32 msr)
{
	u32 lo = 0, hi = msr_rule_count;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (msr_rules[mid].last < msr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == msr_rule_count || msr_rules[lo].first > msr)
		return NULL;
	return &msr_rules[lo];
}

/* The rule for @msr if the guest has that register, or NULL */
static const struct msr_rule *msr_find(const struct vm *vm, u32 msr)
{
	const struct msr_rule *rule;
	u8 number = 0;

	if (msr < LOW_MSRS)
		number = low_rules[index_nospec(msr, LOW_MSRS)];
	rule = number ? &msr_rules[number - 1] : msr_search(msr);
	if (!rule || rule->gate == GATE_ALWAYS)
		return rule;
	return msr_gate_open(vm, rule->gate) ? rule : NULL;
}

int msr_read(struct vcpu *v, u32 msr, u64 *value)
{
	const struct msr_rule *rule;

	if (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST)
		return vlapic_msr_read(v, msr, value);
	if (msr == MSR_TSC_DEADLINE) {
		*value = vlapic_deadline_read(v);
		return 0;
	}
	rule = msr_find(v->vm, msr);
	if (!rule || !rule->read)
		return -EINVAL;
	return rule->read(v, rule, msr, value);
}

int msr_write(struct vcpu *v, u32 msr, u64 value)
{
	const struct msr_rule *rule;

	if (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST)
		return vlapic_msr_write(v, msr, value);
	if (msr == MSR_TSC_DEADLINE) {
		vlapic_deadline_write(v, value);
		return 0;
	}
	rule = msr_find(v->vm, msr);
	if (!rule || !rule->write)
		return -EINVAL;
	return rule->write(v, rule, msr, value);
}

__no_stack_guard enum verdict msr_exit_read(struct vcpu *v,
					    const struct vcpu_exit *e)
{
	u64 *gpr = vcpu_regs(v)->gpr;
	u64 value;

	if (msr_read(v, (u32)gpr[GPR_RCX], &value))
		return exit_gp(v);
	gpr[GPR_RAX] = (u32)value;
	gpr[GPR_RDX] = value >> 32;
	return VERDICT_ADVANCE;
}

enum verdict msr_exit_write(struct vcpu *v, const struct vcpu_exit *e)
{
	const u64 *gpr = vcpu_regs(v)->gpr;
	u64 value = (u32)gpr[GPR_RAX] | gpr[GPR_RDX] << 32;

	if (msr_write(v, (u32)gpr[GPR_RCX], value))
		return exit_gp(v);
	return VERDICT_ADVANCE;
}

void msr_build_bitmap(struct vm *vm)
{
	u32 i, msr;

	low_rules_fill();
	for (i = 0; i < msr_rule_count; i++) {
		const struct msr_rule *rule = &msr_rules[i];

		if (rule->pass == PASS_NONE || !msr_gate_open(vm, rule->gate))
			continue;
		for (msr = rule->first; msr <= rule->last; msr++)
			vcpu_ops->intercept_msr(
				&vm->intercepts, msr,
				rule->pass & PASS_READ ? INTERCEPT_OFF
						       : INTERCEPT_ON,
				rule->pass & PASS_WRITE ? INTERCEPT_OFF
							: INTERCEPT_ON);
	}
}

u32 msr_policy_passes(const struct vm *vm, u32 msr)
{
	const struct msr_rule *rule = msr_search(msr);

	if (!rule || !msr_gate_open(vm, rule->gate))
		return 0;
	return rule->pass;
}

static_assert(PASS_READ == (u32)ACCESS_R && PASS_WRITE == (u32)ACCESS_W,
	      "one way to say it");
