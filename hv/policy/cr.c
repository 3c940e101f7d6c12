/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MOV to and from control registers, CLTS, LMSW and XSETBV, where a back-end
 * intercepts them. Each value is checked as the CPU would check it
 * (SDM 3A 2.5, 4.1, 2B MOV; APM 2 3.1) before anything changes.
 */
#include "hv/policy/cr.h"

#include "arch/x86/cpu/asm.h"
#include "hv/core/gmem.h"
#include "hv/core/regs.h"
#include "hv/irq/vlapic.h"
#include "hv/policy/cpuid.h"
#include "include/hw/cpu.h"
#include "include/hw/cpuid.h"
#include "include/hw/lapic.h"
#include "lib/errno.h"

#define CR0_DEFINED                                                            \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP |        \
	 CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define CR0_LMSW (CR0_PE | CR0_MP | CR0_EM | CR0_TS)
#define CR4_ALWAYS                                                             \
	(CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE |  \
	 CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT)
#define CR8_MAX 15
/* What a change of reloads the PDPTEs (SDM 3A 4.4.1), or drops translations
 * (SDM 3A 4.10.4.1) */
#define CR0_LOADS_PDPTES (CR0_CD | CR0_NW | CR0_PG)
#define CR4_LOADS_PDPTES (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)
#define CR4_FLUSHES                                                            \
	(CR4_LOADS_PDPTES | CR4_PCIDE | CR4_SMAP | CR4_PKE | CR4_LA57)
#define PDPTE_COUNT    4u
#define PDPTE_RESERVED (BITS(8, 5) | BITS(2, 1))
#define PDPT_ADDR      BITS(31, 5)

/* CR4 bits that a CPUID bit permits */
static const struct {
	u64 cr4, cpuid_bit;
	u32 leaf;
	enum cpuid_reg reg;
} cr4_gates[] = {
	{ CR4_UMIP, CPUID_7_ECX_UMIP, CPUID_FEATURES7, LEAF_ECX },
	{ CR4_LA57, CPUID_7_ECX_LA57, CPUID_FEATURES7, LEAF_ECX },
	{ CR4_FSGSBASE, CPUID_7_EBX_FSGSBASE, CPUID_FEATURES7, LEAF_EBX },
	{ CR4_PCIDE, CPUID_1_ECX_PCID, CPUID_FEATURES, LEAF_ECX },
	{ CR4_OSXSAVE, CPUID_1_ECX_XSAVE, CPUID_FEATURES, LEAF_ECX },
	{ CR4_SMEP, CPUID_7_EBX_SMEP, CPUID_FEATURES7, LEAF_EBX },
	{ CR4_SMAP, CPUID_7_EBX_SMAP, CPUID_FEATURES7, LEAF_EBX },
	{ CR4_PKE, CPUID_7_ECX_PKU, CPUID_FEATURES7, LEAF_ECX },
};

static u64 cr4_permitted(const struct vm *vm)
{
	u64 mask = CR4_ALWAYS;

	for (u32 i = 0; i < ARRAY_SIZE(cr4_gates); i++)
		if (cpuid_has(vm, cr4_gates[i].leaf, cr4_gates[i].reg,
			      cr4_gates[i].cpuid_bit))
			mask |= cr4_gates[i].cr4;
	return mask;
}

/* PAE paging: CR3 names four PDPTEs that are loaded at once */
static bool is_pae_paging(u64 cr0, u64 cr4, u64 efer)
{
	return (cr0 & CR0_PG) && (cr4 & CR4_PAE) && !(efer & EFER_LME);
}

/* SDM 3A 4.4.1: reserved bits of a present one are a #GP. One that is not in
 * RAM reads as ones. */
static bool pdptes_ok(struct vcpu *v, u64 cr3)
{
	u64 reserved = PDPTE_RESERVED | ~(BIT(v->vm->phys_bits) - 1);
	u64 pdptes[PDPTE_COUNT];
	u32 i;

	if (!vcpu_ops->has_pdptes)
		return true;
	if (gmem_read(v->vm, GPA(cr3 & PDPT_ADDR), pdptes, sizeof(pdptes)))
		return false;
	for (i = 0; i < PDPTE_COUNT; i++)
		if ((pdptes[i] & PTE_P) && (pdptes[i] & reserved))
			return false;
	return true;
}

/* Loaded when paging is as @cr0 and @cr4 say; false: #GP */
static bool reload_pdptes(struct vcpu *v, u64 cr0, u64 cr4)
{
	struct vcpu_regs *r = vcpu_regs(v);

	if (!is_pae_paging(cr0, cr4, r->efer))
		return true;
	if (!pdptes_ok(v, r->cr3))
		return false;
	r->load_pdptes = true;
	return true;
}

/* May CR0.PG be switched the way @cr0 wants? */
static bool paging_switch_ok(const struct vcpu_regs *r, u64 cr0)
{
	if (!((r->cr0 ^ cr0) & CR0_PG))
		return true;
	if (!(cr0 & CR0_PG))
		return !vcpu_hw_long_mode(r) && !(r->cr4 & CR4_PCIDE);
	if (!(r->efer & EFER_LME))
		return true;
	return (r->cr4 & CR4_PAE) && !(r->seg[SEG_CS].attr & SEG_ATTR_L) &&
	       (r->seg[SEG_TR].attr & SEG_ATTR_WIDE);
}

static int set_cr0(struct vcpu *v, u64 cr0)
{
	struct vcpu_regs *r = vcpu_regs(v);

	vcpu_need(v, RG_CR | RG_SEG);
	if (cr0 >> 32 || ((cr0 & CR0_NW) && !(cr0 & CR0_CD)) ||
	    ((cr0 & CR0_PG) && !(cr0 & CR0_PE)) || !paging_switch_ok(r, cr0))
		return -EINVAL;
	if (((r->cr0 ^ cr0) & CR0_LOADS_PDPTES) &&
	    !reload_pdptes(v, cr0, r->cr4))
		return -EINVAL;
	if (cr0 & CR0_PG && r->efer & EFER_LME)
		r->efer |= EFER_LMA;
	else
		r->efer &= ~EFER_LMA;
	r->cr0 = (cr0 & CR0_DEFINED) | CR0_ET;
	vcpu_dirty(v, RG_CR);
	vcpu_flush(v);
	return 0;
}

int cr3_load(struct vcpu *v, u64 cr3)
{
	struct vcpu_regs *r = vcpu_regs(v);

	vcpu_need(v, RG_CR);
	if (r->cr4 & CR4_PCIDE)
		cr3 &= ~CR3_NOFLUSH;
	if ((r->efer & EFER_LMA) && cr3 >> v->vm->phys_bits)
		return -EINVAL;
	if (is_pae_paging(r->cr0, r->cr4, r->efer)) {
		if (!pdptes_ok(v, cr3))
			return -EINVAL;
		r->load_pdptes = true;
	}
	r->cr3 = cr3;
	vcpu_dirty(v, RG_CR);
	vcpu_flush(v);
	return 0;
}

static int set_cr4(struct vcpu *v, u64 cr4)
{
	struct vcpu_regs *r = vcpu_regs(v);
	u64 changed;

	vcpu_need(v, RG_CR);
	changed = r->cr4 ^ cr4;
	if (cr4 & ~cr4_permitted(v->vm))
		return -EINVAL;
	if ((r->efer & EFER_LMA) && (!(cr4 & CR4_PAE) || (changed & CR4_LA57)))
		return -EINVAL;
	if ((changed & cr4 & CR4_PCIDE) &&
	    (!(r->efer & EFER_LMA) || (r->cr3 & CR3_PCID_MASK)))
		return -EINVAL;
	if ((changed & CR4_LOADS_PDPTES) && !reload_pdptes(v, r->cr0, cr4))
		return -EINVAL;
	r->cr4 = cr4;
	r->mce_hidden = !(cr4 & CR4_MCE);
	vcpu_dirty(v, RG_CR);
	if (changed & CR4_FLUSHES)
		vcpu_flush(v);
	return 0;
}

static int set_cr8(struct vcpu *v, u64 cr8)
{
	if (cr8 > CR8_MAX)
		return -EINVAL;
	v->hw.apic_page[APIC_TPR / 4] = (u32)cr8 << 4;
	vcpu_dirty(v, RG_CONTROL);
	vcpu_post(v, VE_IRQ);
	return 0;
}

static int set_cr(struct vcpu *v, u8 cr, u64 value)
{
	switch (cr) {
	case 0:
		return set_cr0(v, value);
	case 3:
		return cr3_load(v, value);
	case 4:
		return set_cr4(v, value);
	case 8:
		return set_cr8(v, value);
	default:
		return -ENOENT;
	}
}

static int get_cr(struct vcpu *v, u8 cr, u64 *value)
{
	struct vcpu_regs *r = vcpu_regs(v);

	vcpu_need(v, RG_CR);
	switch (cr) {
	case 0:
		*value = r->cr0;
		return 0;
	case 2: /* see emulate_cr0() */
		*value = r->cr2;
		return 0;
	case 3:
		*value = r->cr3;
		return 0;
	case 4:
		*value = r->cr4 & ~(r->mce_hidden ? CR4_MCE : 0);
		return 0;
	case 8:
		*value = v->hw.apic_page[APIC_TPR / 4] >> 4;
		return 0;
	default:
		return -ENOENT;
	}
}

/* RSP is of a group of its own */
static u64 *gpr_of(struct vcpu *v, u8 gpr, bool write)
{
	if (gpr == GPR_RSP) {
		vcpu_need(v, RG_RSP);
		if (write)
			vcpu_dirty(v, RG_RSP);
	}
	return &vcpu_regs(v)->gpr[gpr % GPR_COUNT];
}

/* Outside 64-bit code the operand is 32 bits wide */
static u64 operand(struct vcpu *v, u64 value)
{
	vcpu_need(v, RG_CR | RG_SEG);
	return vcpu_hw_long_mode(vcpu_regs(v)) ? value : (u32)value;
}

/* Four bits, and PE can only be set */
int msw_load(struct vcpu *v, u16 value)
{
	u64 cr0;

	vcpu_need(v, RG_CR);
	cr0 = vcpu_regs(v)->cr0;
	return set_cr0(v, (cr0 & ~(CR0_LMSW & ~CR0_PE)) | (value & CR0_LMSW));
}

enum verdict exit_cr(struct vcpu *v, const struct vcpu_exit *e)
{
	u64 value;
	int err;

	if (e->cr.clts) {
		vcpu_need(v, RG_CR);
		err = set_cr0(v, vcpu_regs(v)->cr0 & ~CR0_TS);
	} else if (e->cr.lmsw) {
		err = msw_load(v, e->cr.lmsw_value);
	} else if (e->cr.write) {
		value = operand(v, *gpr_of(v, e->cr.gpr, false));
		err = set_cr(v, e->cr.cr, value);
	} else {
		err = get_cr(v, e->cr.cr, &value);
		if (!err)
			*gpr_of(v, e->cr.gpr, true) = operand(v, value);
	}
	if (err == -ENOENT)
		return exit_ud(v);
	return err ? exit_gp(v) : VERDICT_ADVANCE;
}

/* SDM 1 13.3: which combinations XCR0 may have */
static bool xcr0_ok(const struct vm *vm, u64 value)
{
	static const u64 together[] = { BITS(4, 3), BITS(7, 5), BITS(18, 17) };
	u32 i;

	if (!(value & XCR0_X87) || (value & ~vm->xcr0_mask))
		return false;
	if ((value & XCR0_AVX) && !(value & XCR0_SSE))
		return false;
	if ((value & together[1]) && !(value & XCR0_AVX))
		return false;
	for (i = 0; i < ARRAY_SIZE(together); i++)
		if ((value & together[i]) &&
		    (value & together[i]) != together[i])
			return false;
	return true;
}

enum verdict exit_xsetbv(struct vcpu *v, const struct vcpu_exit *e)
{
	struct vcpu_regs *r = vcpu_regs(v);
	u64 value = (u32)r->gpr[GPR_RAX] | r->gpr[GPR_RDX] << 32;

	vcpu_need(v, RG_SEG | RG_CR);
	if (!(r->cr4 & CR4_OSXSAVE))
		return exit_ud(v);
	if (vcpu_cpl(r) != CPL_KERNEL || (u32)r->gpr[GPR_RCX] ||
	    !xcr0_ok(v->vm, value) || xsetbv_safe(0, value))
		return exit_gp(v);
	r->xcr0 = value;
	vcpu_dirty(v, RG_CONTROL);
	return VERDICT_ADVANCE;
}
