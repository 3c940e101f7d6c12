/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between struct vcpu_regs and the VMCB's state save area (APM 2 appendix B,
 * table B-2). One function a register group; svm_run() itself does RIP.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/svm/internal.h"
#include "include/hw/cpu.h"
#include "lib/string.h"

/* Groups that VMLOAD and VMSAVE carry in part */
#define LOADED_GROUPS (RG_SEG | RG_MSR)

/* clang-format off */
static const u16 seg_offsets[SEG_COUNT] = {
	[SEG_ES] = offsetof(struct vmcb_save, es),
	[SEG_CS] = offsetof(struct vmcb_save, cs),
	[SEG_SS] = offsetof(struct vmcb_save, ss),
	[SEG_DS] = offsetof(struct vmcb_save, ds),
	[SEG_FS] = offsetof(struct vmcb_save, fs),
	[SEG_GS] = offsetof(struct vmcb_save, gs),
	[SEG_LDTR] = offsetof(struct vmcb_save, ldtr),
	[SEG_TR] = offsetof(struct vmcb_save, tr),
};
/* clang-format on */

static struct vmcb_segment *seg_of(struct vmcb_save *s, u32 i)
{
	return (struct vmcb_segment *)(void *)((u8 *)s + seg_offsets[i]);
}

static void seg_store(struct vmcb_segment *to, const struct segment *from)
{
	to->selector = from->sel;
	to->limit = from->limit;
	to->base = from->base;
	to->attrib = 0;
	if (!(from->attr & SEG_ATTR_UNUSABLE))
		to->attrib =
			(u16)((from->attr & 0xff) | (from->attr >> 4 & 0xf00));
}

static void segs_store(struct vmcb_save *s, const struct vcpu_regs *r)
{
	u32 i;

	for (i = 0; i < SEG_COUNT; i++)
		seg_store(seg_of(s, i), &r->seg[i]);
	s->cpl = SEG_ATTR_DPL(r->seg[SEG_SS].attr);
}

static void segs_read(const struct vmcb_save *s, struct vcpu_regs *r)
{
	struct vmcb_save *save = (struct vmcb_save *)(uintptr_t)s;
	u32 i;

	for (i = 0; i < SEG_COUNT; i++)
		svm_seg_read(&r->seg[i], seg_of(save, i));
	/* CPL is the VMCB's; SS may differ after SYSRET (APM 2 15.5.1) */
	r->seg[SEG_SS].attr &= ~(u32)SEG_ATTR_DPL_MASK;
	r->seg[SEG_SS].attr |= (u32)s->cpl << SEG_ATTR_DPL_SHIFT;
}

/*
 * A machine check is the host's, and with CR4.MCE clear it would shut the core
 * down: it stays set. Writes of CR4 are intercepted for it, and reads as long
 * as the guest's own is clear.
 */
static void cr4_store(struct vcpu_arch *a, const struct vcpu_regs *r)
{
	struct vmcb_control *c = &a->vmcb->control;

	a->vmcb->save.cr4 = r->cr4 | (cpu_features.mce ? CR4_MCE : 0);
	c->intercept_cr &= ~(u32)CR4_READ;
	if (r->mce_hidden)
		c->intercept_cr |= CR4_READ;
	svm_unclean(a, CLEAN_I);
}

static void crs_store(struct vcpu_arch *a, const struct vcpu_regs *r)
{
	struct vmcb_save *s = &a->vmcb->save;

	s->cr0 = r->cr0;
	s->cr3 = r->cr3;
	s->efer = r->efer | EFER_SVME;
	cr4_store(a, r);
}

static void dts_store(struct vmcb_save *s, const struct vcpu_regs *r)
{
	s->gdtr.base = r->gdtr.base;
	s->gdtr.limit = r->gdtr.limit;
	s->idtr.base = r->idtr.base;
	s->idtr.limit = r->idtr.limit;
}

static void dts_read(const struct vmcb_save *s, struct vcpu_regs *r)
{
	r->gdtr.base = s->gdtr.base;
	r->gdtr.limit = s->gdtr.limit;
	r->idtr.base = s->idtr.base;
	r->idtr.limit = s->idtr.limit;
}

static void msrs_store(struct vmcb_save *s, const struct vcpu_regs *r)
{
	s->star = r->star;
	s->lstar = r->lstar;
	s->cstar = r->cstar;
	s->sfmask = r->sfmask;
	s->kernel_gs_base = r->kernel_gs_base;
	s->g_pat = r->pat;
	s->sysenter_cs = r->sysenter_cs;
	s->sysenter_esp = r->sysenter_esp;
	s->sysenter_eip = r->sysenter_eip;
}

static void msrs_read(const struct vmcb_save *s, struct vcpu_regs *r)
{
	r->star = s->star;
	r->lstar = s->lstar;
	r->cstar = s->cstar;
	r->sfmask = s->sfmask;
	r->kernel_gs_base = s->kernel_gs_base;
	r->pat = s->g_pat;
	r->sysenter_cs = s->sysenter_cs;
	r->sysenter_esp = s->sysenter_esp;
	r->sysenter_eip = s->sysenter_eip;
}

/* What the core holds of this vCPU goes to its VMCB; it stays loaded */
static bool sync_loaded(const struct vcpu_arch *a)
{
	if (!a->loaded)
		return false;
	svm_vmsave(a->vmcb_hpa);
	return true;
}

void svm_read(struct vcpu_hw *v, u32 groups)
{
	struct vcpu_regs *r = &v->regs;
	struct vmcb_save *s = &v->arch->vmcb->save;

	/* What was written and not yet stored is newer than the VMCB */
	groups &= ~vcpu_hw_dirty(r);
	if (groups & LOADED_GROUPS)
		sync_loaded(v->arch);
	if (groups & RG_RIP) {
		r->rip = s->rip;
		r->rflags = s->rflags;
	}
	if (groups & RG_RSP)
		r->gpr[GPR_RSP] = s->rsp;
	if (groups & RG_CR)
		svm_crs_read(r, s);
	if (groups & RG_SEG)
		segs_read(s, r);
	if (groups & RG_DT)
		dts_read(s, r);
	if (groups & RG_MSR)
		msrs_read(s, r);
	if (groups & RG_DR) {
		r->dr[6] = s->dr6;
		r->dr[7] = s->dr7;
		r->pending_debug = 0; /* no shadow holds any back */
	}
	r->valid |= groups | vcpu_hw_dirty(r);
}

static void dirty_store(struct vcpu_hw *v, struct vmcb_save *s, u32 dirty)
{
	const struct vcpu_regs *r = &v->regs;

	if (dirty & RG_RIP) {
		s->rip = r->rip;
		s->rflags = r->rflags;
		v->arch->vmcb->control.interrupt_shadow =
			r->shadow & (SHADOW_STI | SHADOW_MOV_SS)
				? INTERRUPT_SHADOW
				: 0;
		if (v->arch->nmi_shadow && !(r->shadow & SHADOW_NMI))
			svm_nmi_unblock(v->arch);
	}
	if (dirty & RG_RSP)
		s->rsp = r->gpr[GPR_RSP];
	if (dirty & RG_CR)
		crs_store(v->arch, r);
	if (dirty & RG_SEG)
		segs_store(s, r);
	if (dirty & RG_DT)
		dts_store(s, r);
	if (dirty & RG_MSR)
		msrs_store(s, r);
	if (dirty & RG_DR) {
		s->dr6 = r->dr[6];
		s->dr7 = r->dr[7];
		v->arch->vmcb->control.intercept_dr =
			r->breakpoints ? 0 : DR7_WRITES;
	}
}

void svm_store_dirty(struct vcpu_hw *v)
{
	static const struct {
		u32 group, clean;
	} rows[] = {
		{ RG_CR, CLEAN_CRX },
		{ RG_SEG, CLEAN_SEG },
		{ RG_DT, CLEAN_DT },
		{ RG_MSR, CLEAN_NP },
		{ RG_DR, CLEAN_DRX | CLEAN_I },
	};
	struct vcpu_arch *a = v->arch;
	u32 dirty = vcpu_hw_dirty(&v->regs);
	bool reload = (dirty & LOADED_GROUPS) && sync_loaded(a);
	u32 i;

	dirty_store(v, &a->vmcb->save, dirty);
	if (reload)
		svm_vmload(a->vmcb_hpa);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (dirty & rows[i].group)
			svm_unclean(a, rows[i].clean);
	v->regs.dirty = 0;
}

/* SDM 3A table 10-1 *IA-32 and Intel 64 Processor States Following Power-up,
 * Reset, or INIT*; APM 2 table 14-1 */
static void reset_segments(struct vcpu_regs *r)
{
	u32 i;

	for (i = 0; i < SEG_COUNT; i++)
		r->seg[i] = (struct segment){ .attr = SEG_ATTR_REAL_DATA,
					      .limit = 0xffff };
	r->seg[SEG_CS].sel = 0xf000;
	r->seg[SEG_CS].base = 0xffff0000;
	r->seg[SEG_CS].attr = SEG_ATTR_REAL_CODE;
	r->seg[SEG_LDTR].attr = SEG_ATTR_LDT;
	r->seg[SEG_TR].attr = SEG_ATTR_TSS_BUSY;
	r->gdtr = (struct segment){ .limit = 0xffff };
	r->idtr = r->gdtr;
}

void svm_reset_regs(struct vcpu_regs *r, bool init)
{
	struct vcpu_regs old = *r;

	memset(r, 0, sizeof(*r));
	reset_segments(r);
	r->gpr[GPR_RDX] = cpuid(1).eax;
	r->rip = 0xfff0;
	r->rflags = RFLAGS_FIXED;
	r->cr0 = CR0_ET | CR0_NW | CR0_CD;
	r->dr[6] = DR6_FIXED;
	r->dr[7] = DR7_FIXED;
	r->pat = PAT_RESET;
	r->xcr0 = XCR0_X87;
	r->mce_hidden = true;
	if (init) {
		r->cr0 = CR0_ET | (old.cr0 & (CR0_NW | CR0_CD));
		r->pat = old.pat;
		r->xcr0 = old.xcr0;
		r->star = old.star;
		r->lstar = old.lstar;
		r->cstar = old.cstar;
		r->sfmask = old.sfmask;
		r->kernel_gs_base = old.kernel_gs_base;
		r->sysenter_cs = old.sysenter_cs;
		r->sysenter_esp = old.sysenter_esp;
		r->sysenter_eip = old.sysenter_eip;
	}
	r->valid = RG_ALL;
	r->dirty = RG_ALL;
}
