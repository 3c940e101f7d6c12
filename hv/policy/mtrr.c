/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's memory type range registers (SDM 3A 12.11 *Memory Type Range
 * Registers (MTRRs)*; APM 2 7.7). An isolated guest's are kept and checked as a
 * CPU does, but have no effect: RAM is WB by EPT, and with SVM by the host's
 * MTRRs. So the guest's PAT alone makes a page anything else (SDM 3C 29.3.7.2;
 * APM 2 15.25.8). All its vCPUs reset to MTRRs on with default type WB. That is
 * what firmware leaves behind, for a kernel that is loaded directly; firmware
 * that is the guest writes them first.
 *
 * The privileged guest, whose addresses are the machine's, reads the machine's
 * registers, and what it maps of devices has their types (hv/run/mmio.c). Its
 * writes are checked and dropped: firmware's choice holds for every core.
 */
#include "arch/x86/machine/mtrr.h"
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/nospec.h"
#include "hv/policy/msr.h"
#include "hv/policy/msr_table.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "lib/errno.h"

#define VAR_COUNT         8u /* of an isolated guest */
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
	if (v->vm->privileged)
		v->mtrrs = host_mtrrs;
	else
		v->mtrrs = (struct mtrrs){
			.cap = MTRRCAP_WC | MTRRCAP_FIX | VAR_COUNT,
			.def_type = MTRR_DEF_E | MEM_WB,
		};
}

/* How many variable ranges, the fixed ones, WC; no SMRR */
int msr_read_mtrrcap(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		     u64 *value)
{
	*value = v->mtrrs.cap & (MTRRCAP_VCNT_MASK | MTRRCAP_FIX | MTRRCAP_WC);
	return 0;
}

/* For the privileged guest's table of memory types: what AMD's registers add to
 * the MTRRs (APM 2 7.9.1), and 0 for the others */
int msr_read_top_mem(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		     u64 *value)
{
	if (!v->vm->privileged || rdmsr_safe(msr, value))
		*value = 0;
	*value &= rule->value;
	return 0;
}

static void keep(struct vcpu *v, u64 *where, u64 value)
{
	if (!v->vm->privileged)
		*where = value;
}

int msr_read_mtrr_def_type(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			   u64 *value)
{
	*value = v->mtrrs.def_type;
	return 0;
}

int msr_write_mtrr_def_type(struct vcpu *v, const struct msr_rule *rule,
			    u32 msr, u64 value)
{
	if ((value & ~MTRR_DEF_DEFINED) || !type_ok(value & MTRR_DEF_TYPE_MASK))
		return -EINVAL;
	keep(v, &v->mtrrs.def_type, value);
	return 0;
}

/* Base and mask alternate; NULL: the CPU has not so many */
static u64 *var_of(struct vcpu *v, u32 index)
{
	if (index >= 2 * (v->mtrrs.cap & MTRRCAP_VCNT_MASK))
		return NULL;
	return &v->mtrrs.var[index_nospec(index, ARRAY_SIZE(v->mtrrs.var))];
}

int msr_read_mtrr_var(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		      u64 *value)
{
	const u64 *reg = var_of(v, msr - rule->first);

	if (!reg)
		return -EINVAL;
	*value = *reg;
	return 0;
}

int msr_write_mtrr_var(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		       u64 value)
{
	bool is_mask = (msr - rule->first) & 1;
	u64 defined = is_mask ? MTRR_MASK_DEFINED : MTRR_BASE_DEFINED;
	u64 *reg = var_of(v, msr - rule->first);

	if (!reg || (value & ~defined) || value >> v->vm->phys_bits)
		return -EINVAL;
	if (!is_mask && !type_ok(value & MTRR_DEF_TYPE_MASK))
		return -EINVAL;
	keep(v, reg, value);
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
	return &v->mtrrs.fixed[index_nospec(i, ARRAY_SIZE(v->mtrrs.fixed))];
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
	keep(v, fixed_of(v, msr), value);
	return 0;
}
