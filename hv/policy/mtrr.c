/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's memory type range registers (SDM 3A 12.11 *Memory Type Range
 * Registers (MTRRs)*; APM 2 7.7). They are kept and checked as a CPU does, but
 * have no effect: RAM is WB by EPT, and with SVM by the host's MTRRs. So the
 * guest's PAT alone makes a page anything else (SDM 3C 29.3.7.2; APM 2
 * 15.25.8). A guest's RAM is coherent whatever its type; the privileged guest's
 * device windows are mapped UC. All vCPUs reset to MTRRs on with default type
 * WB. That is what firmware leaves behind, for a kernel that is loaded
 * directly; firmware that is the guest writes them first.
 */
#include "arch/x86/cpu/nospec.h"
#include "hv/policy/msr.h"
#include "hv/policy/msr_table.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "lib/errno.h"

#define MTRR_DEF_DEFINED  (MTRR_DEF_TYPE_MASK | MTRR_DEF_FE | MTRR_DEF_E)
#define MTRR_BASE_DEFINED (MTRR_DEF_TYPE_MASK | BITS(51, 12))
#define MTRR_MASK_DEFINED (MTRR_MASK_VALID | BITS(51, 12))

/* SDM 3A table 12-8: UC, WC, WT, WP, WB */
static bool type_ok(u64 type)
{
	return type <= MEM_WB && type != 2 && type != 3;
}

void mtrr_reset(struct vcpu *v)
{
	u32 i;

	v->mtrr_def_type = MTRR_DEF_E | MEM_WB;
	for (i = 0; i < ARRAY_SIZE(v->mtrr_var); i++)
		v->mtrr_var[i] = 0;
	for (i = 0; i < ARRAY_SIZE(v->mtrr_fixed); i++)
		v->mtrr_fixed[i] = 0;
}

int msr_read_mtrr_def_type(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			   u64 *value)
{
	*value = v->mtrr_def_type;
	return 0;
}

int msr_write_mtrr_def_type(struct vcpu *v, const struct msr_rule *rule,
			    u32 msr, u64 value)
{
	if ((value & ~MTRR_DEF_DEFINED) || !type_ok(value & MTRR_DEF_TYPE_MASK))
		return -EINVAL;
	v->mtrr_def_type = value;
	return 0;
}

/* Base and mask alternate */
int msr_read_mtrr_var(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		      u64 *value)
{
	*value = v->mtrr_var[index_nospec(msr - rule->first,
					  ARRAY_SIZE(v->mtrr_var))];
	return 0;
}

int msr_write_mtrr_var(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		       u64 value)
{
	u32 i = (u32)index_nospec(msr - rule->first, ARRAY_SIZE(v->mtrr_var));
	u64 defined = i & 1 ? MTRR_MASK_DEFINED : MTRR_BASE_DEFINED;

	if ((value & ~defined) || value >> v->vm->phys_bits)
		return -EINVAL;
	if (!(i & 1) && !type_ok(value & MTRR_DEF_TYPE_MASK))
		return -EINVAL;
	v->mtrr_var[i] = value;
	return 0;
}

/* Rows of the table, in order: one of 64K, two of 16K, eight of 4K pieces */
static u64 *fixed_of(struct vcpu *v, u32 msr)
{
	u32 i = 0;

	if (msr >= MSR_MTRR_FIX4K_C0000)
		i = 3 + msr - MSR_MTRR_FIX4K_C0000;
	else if (msr >= MSR_MTRR_FIX16K_80000)
		i = 1 + msr - MSR_MTRR_FIX16K_80000;
	return &v->mtrr_fixed[index_nospec(i, ARRAY_SIZE(v->mtrr_fixed))];
}

int msr_read_mtrr_fixed(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			u64 *value)
{
	*value = *fixed_of(v, msr);
	return 0;
}

int msr_write_mtrr_fixed(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			 u64 value)
{
	u32 i;

	for (i = 0; i < 64; i += 8)
		if (!type_ok(value >> i & 0xff))
			return -EINVAL;
	*fixed_of(v, msr) = value;
	return 0;
}
