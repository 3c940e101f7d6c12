/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSR handlers that change a vCPU. Called by hv/policy/msr.c on the vCPU's home
 * core, attached. Each checks the value as the CPU would before it stores it.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/speculation.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/regs.h"
#include "hv/irq/vlapic.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/msr_table.h"
#include "hv/pv/pvclock.h"
#include "include/hw/cpu.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/errno.h"

#define SPEC_CTRL_DEFINED (SPEC_CTRL_IBRS | SPEC_CTRL_STIBP | SPEC_CTRL_SSBD)

/* What the guest's CPU has decides, not its CR4.LA57: the registers may be
 * loaded before 5-level paging is turned on */
static bool canonical(const struct vcpu *v, u64 address)
{
	return is_canonical(address, LINEAR_4LEVEL) ||
	       (is_canonical(address, LINEAR_5LEVEL) &&
		cpuid_has(v->vm, CPUID_FEATURES7, LEAF_ECX, CPUID_7_ECX_LA57));
}

static u64 *reg_of(struct vcpu *v, const struct msr_rule *rule)
{
	return (u64 *)(void *)((u8 *)vcpu_regs(v) + rule->value);
}

/* STAR ... SYSENTER_EIP, for back-ends that intercept them */
int msr_read_reg(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		 u64 *value)
{
	vcpu_need(v, RG_MSR);
	*value = *reg_of(v, rule);
	return 0;
}

int msr_write_reg(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		  u64 value)
{
	bool address =
		msr != MSR_STAR && msr != MSR_SFMASK && msr != MSR_SYSENTER_CS;

	if (address && !canonical(v, value))
		return -EINVAL;
	vcpu_need(v, RG_MSR);
	*reg_of(v, rule) = value;
	vcpu_dirty(v, RG_MSR);
	return 0;
}

static struct segment *base_of(struct vcpu *v, u32 msr)
{
	vcpu_need(v, RG_SEG);
	return &vcpu_regs(v)->seg[msr == MSR_FS_BASE ? SEG_FS : SEG_GS];
}

int msr_read_base(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		  u64 *value)
{
	*value = base_of(v, msr)->base;
	return 0;
}

int msr_write_base(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		   u64 value)
{
	if (!canonical(v, value))
		return -EINVAL;
	base_of(v, msr)->base = value;
	vcpu_dirty(v, RG_SEG);
	return 0;
}

int msr_read_efer(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		  u64 *value)
{
	vcpu_need(v, RG_CR);
	*value = vcpu_regs(v)->efer;
	return 0;
}

/* Bits of EFER that a bit of 80000001 permits */
static const struct {
	u64 efer, cpuid_bit;
	enum cpuid_reg reg;
} efer_gates[] = {
	{ EFER_SCE, CPUID_81_EDX_SYSCALL, LEAF_EDX },
	{ EFER_SCE | EFER_LME, CPUID_81_EDX_LM, LEAF_EDX },
	{ EFER_NXE, CPUID_81_EDX_NX, LEAF_EDX },
	{ EFER_FFXSR, CPUID_81_EDX_FFXSR, LEAF_EDX },
	{ EFER_TCE, CPUID_81_ECX_TCE, LEAF_ECX },
};

static u64 efer_permitted(const struct vm *vm)
{
	u64 mask = EFER_LMA; /* read-only: what is written is ignored */
	u32 out[LEAF_COUNT];

	cpuid_query(vm, CPUID_EXT_FEATURES, 0, out);
	for (u32 i = 0; i < ARRAY_SIZE(efer_gates); i++)
		if (out[efer_gates[i].reg] & efer_gates[i].cpuid_bit)
			mask |= efer_gates[i].efer;
	return mask;
}

int msr_write_efer(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		   u64 value)
{
	struct vcpu_regs *r = vcpu_regs(v);

	vcpu_need(v, RG_CR);
	if (value & ~efer_permitted(v->vm))
		return -EINVAL;
	if ((r->cr0 & CR0_PG) && ((value ^ r->efer) & EFER_LME))
		return -EINVAL;
	r->efer = (value & ~EFER_LMA) | (r->efer & EFER_LMA);
	vcpu_dirty(v, RG_CR);
	vcpu_flush(v); /* NXE changes how cached entries are checked */
	return 0;
}

int msr_read_pat(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		 u64 *value)
{
	vcpu_need(v, RG_MSR);
	*value = vcpu_regs(v)->pat;
	return 0;
}

/* SDM 3A 12.12.2: each byte 0, 1, 4, 5, 6 or 7 */
int msr_write_pat(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		  u64 value)
{
	u32 i;

	for (i = 0; i < 64; i += 8) {
		u64 type = (value >> i) & 0xff;

		if (type > MEM_UC_MINUS || type == 2 || type == 3)
			return -EINVAL;
	}
	vcpu_need(v, RG_MSR);
	vcpu_regs(v)->pat = value;
	vcpu_dirty(v, RG_MSR);
	return 0;
}

/* Move the guest's TSC by @delta; its clock page must follow, and a deadline it
 * has set, which is a value of this TSC (SDM 3A 11.5.4.1 *TSC-Deadline Mode*)
 */
static void tsc_shift(struct vcpu *v, u64 delta)
{
	u64 deadline = vlapic_deadline_read(v);

	if (!delta)
		return;
	v->hw.tsc_offset += delta;
	vcpu_dirty(v, RG_CONTROL);
	v->tsc_adjust += delta;
	pvclock_update(v);
	if (deadline)
		vlapic_deadline_write(v, deadline);
}

int msr_read_tsc(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		 u64 *value)
{
	*value = vcpu_guest_tsc(v, rdtsc());
	return 0;
}

int msr_write_tsc(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		  u64 value)
{
	tsc_shift(v, value - vcpu_guest_tsc(v, rdtsc()));
	return 0;
}

int msr_read_tsc_adjust(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			u64 *value)
{
	*value = v->tsc_adjust;
	return 0;
}

int msr_write_tsc_adjust(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			 u64 value)
{
	if (value != v->tsc_adjust)
		tsc_shift(v, value - v->tsc_adjust);
	return 0;
}

int msr_read_tsc_aux(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		     u64 *value)
{
	*value = v->tsc_aux;
	return 0;
}

int msr_write_tsc_aux(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		      u64 value)
{
	if (value >> 32)
		return -EINVAL;
	v->tsc_aux = value;
	wrmsr(msr, value); /* stays in the core: see switch_msrs() */
	return 0;
}

int msr_read_spec_ctrl(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		       u64 *value)
{
	*value = v->hw.spec_ctrl;
	return 0;
}

int msr_write_spec_ctrl(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			u64 value)
{
	u64 both = value | speculation.host_ctrl;

	/* The host's bits stay set: this is the host */
	if ((value & ~SPEC_CTRL_DEFINED) || wrmsr_safe(msr, both))
		return -EINVAL;
	v->hw.spec_ctrl = value;
	if (speculation_ctrl(value) != both)
		wrmsr(msr, speculation_ctrl(value));
	return 0;
}

int msr_read_misc_enable(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			 u64 *value)
{
	*value = v->misc_enable | MISC_ENABLE_BTS_UNAVAIL |
		 MISC_ENABLE_PEBS_UNAVAIL;
	return 0;
}

/* Fast strings are the one thing of it that a guest may ask about */
int msr_write_misc_enable(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			  u64 value)
{
	v->misc_enable = value & MISC_ENABLE_FAST_STRING;
	return 0;
}
