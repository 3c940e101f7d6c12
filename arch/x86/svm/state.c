/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest state between struct vcpu_regs and the VMCB's state save area, group by
 * group (APM 2 appendix B, table B-2). run.c and enter.asm do RIP and RAX.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/svm/internal.h"
#include "include/hw/cpu.h"
#include "include/hw/lapic.h"

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

static u32 attr_load(u16 attrib)
{
	u32 attr = svm_seg_attr(attrib);

	return attrib & VMCB_ATTR_P ? attr : attr | SEG_ATTR_UNUSABLE;
}

static u16 attr_store(u32 attr)
{
	if (attr & SEG_ATTR_UNUSABLE)
		return 0;
	return (u16)((attr & 0xff) | (attr >> 4 & 0xf00));
}

static void load_rip(struct vcpu_hw *v)
{
	v->regs.rip = v->arch->vmcb->save.rip;
	v->regs.rflags = v->arch->vmcb->save.rflags;
}

static void store_rip(struct vcpu_hw *v)
{
	const struct vcpu_regs *r = &v->regs;
	struct vcpu_arch *a = v->arch;
	bool shadow = r->shadow & (SHADOW_STI | SHADOW_MOV_SS);

	a->vmcb->save.rip = r->rip;
	a->vmcb->save.rflags = r->rflags;
	a->vmcb->control.interrupt_shadow = shadow ? INTERRUPT_SHADOW : 0;
	if (a->nmi_shadow && !(r->shadow & SHADOW_NMI))
		svm_nmi_unblock(a);
}

static void load_rsp(struct vcpu_hw *v)
{
	v->regs.gpr[GPR_RSP] = v->arch->vmcb->save.rsp;
}

static void store_rsp(struct vcpu_hw *v)
{
	v->arch->vmcb->save.rsp = v->regs.gpr[GPR_RSP];
}

static void load_cr(struct vcpu_hw *v)
{
	svm_load_cr(v);
}

/*
 * CR0.CD and NW never reach the CPU: without caches, this core and its sibling
 * would be slow for everybody (APM 2 7.6.2 *Cache Control Mechanisms*). A write
 * of CR0 exits if it changes more than TS and MP. While one of the two is set
 * for the guest, every access exits, because the CPU knows nothing of it.
 */
static void store_cr0(struct vcpu_arch *a, const struct vcpu_regs *r)
{
	struct vmcb_control *c = &a->vmcb->control;

	a->cr0_hidden = r->cr0 & (CR0_CD | CR0_NW);
	a->vmcb->save.cr0 = r->cr0 & ~a->cr0_hidden;
	c->intercept_cr &= ~(u32)(CR0_READ | CR0_WRITE);
	if (a->cr0_hidden)
		c->intercept_cr |= CR0_READ | CR0_WRITE;
}

/*
 * CR4.MCE stays set while the guest runs: a machine check is the host's, and
 * with MCE clear it would shut the core down. So writes of CR4 are intercepted,
 * and reads as long as the guest's own MCE is clear.
 */
static void store_cr4(struct vcpu_arch *a, const struct vcpu_regs *r)
{
	struct vmcb_control *c = &a->vmcb->control;

	a->vmcb->save.cr4 = r->cr4 | (cpu_features.mce ? CR4_MCE : 0);
	c->intercept_cr &= ~(u32)CR4_READ;
	if (r->mce_hidden)
		c->intercept_cr |= CR4_READ;
}

static void store_cr(struct vcpu_hw *v)
{
	const struct vcpu_regs *r = &v->regs;
	struct vmcb_save *s = &v->arch->vmcb->save;

	store_cr0(v->arch, r);
	s->cr2 = r->cr2;
	s->cr3 = r->cr3;
	s->efer = r->efer | EFER_SVME;
	store_cr4(v->arch, r);
}

/* The VMCB has the CPL in a place of its own: after SYSRET, SS may say
 * otherwise (APM 2 15.5.1) */
static void load_seg(struct vcpu_hw *v)
{
	struct vmcb_save *save = &v->arch->vmcb->save;
	struct segment *ss = &v->regs.seg[SEG_SS];

	for (u32 i = 0; i < SEG_COUNT; i++) {
		const struct vmcb_segment *from = seg_of(save, i);
		struct segment *s = &v->regs.seg[i];

		s->sel = from->selector;
		s->attr = attr_load(from->attrib);
		s->limit = from->limit;
		s->base = from->base;
	}
	ss->attr &= ~(u32)SEG_ATTR_DPL_MASK;
	ss->attr |= (u32)save->cpl << SEG_ATTR_DPL_SHIFT;
}

static void store_seg(struct vcpu_hw *v)
{
	struct vmcb_save *save = &v->arch->vmcb->save;

	for (u32 i = 0; i < SEG_COUNT; i++) {
		const struct segment *s = &v->regs.seg[i];
		struct vmcb_segment *to = seg_of(save, i);

		to->selector = s->sel;
		to->attrib = attr_store(s->attr);
		to->limit = s->limit;
		to->base = s->base;
	}
	save->cpl = SEG_ATTR_DPL(v->regs.seg[SEG_SS].attr);
}

static void load_dt(struct vcpu_hw *v)
{
	const struct vmcb_save *s = &v->arch->vmcb->save;

	v->regs.gdtr.base = s->gdtr.base;
	v->regs.gdtr.limit = s->gdtr.limit;
	v->regs.idtr.base = s->idtr.base;
	v->regs.idtr.limit = s->idtr.limit;
}

static void store_dt(struct vcpu_hw *v)
{
	struct vmcb_save *s = &v->arch->vmcb->save;

	s->gdtr.base = v->regs.gdtr.base;
	s->gdtr.limit = v->regs.gdtr.limit;
	s->idtr.base = v->regs.idtr.base;
	s->idtr.limit = v->regs.idtr.limit;
}

static void load_msr(struct vcpu_hw *v)
{
	const struct vmcb_save *s = &v->arch->vmcb->save;
	struct vcpu_regs *r = &v->regs;

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

static void store_msr(struct vcpu_hw *v)
{
	struct vmcb_save *s = &v->arch->vmcb->save;
	const struct vcpu_regs *r = &v->regs;

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

/* DR0-3 stay in the core: svm_attach() and svm_put() */
static void load_dr(struct vcpu_hw *v)
{
	v->regs.dr[6] = v->arch->vmcb->save.dr6;
	v->regs.dr[7] = v->arch->vmcb->save.dr7;
	v->regs.pending_debug = 0; /* no shadow holds any back */
}

static void store_dr(struct vcpu_hw *v)
{
	struct vmcb *vmcb = v->arch->vmcb;

	vmcb->save.dr6 = v->regs.dr[6];
	vmcb->save.dr7 = v->regs.dr[7];
	vmcb->control.intercept_dr = v->regs.breakpoints ? 0 : DR7_WRITES;
	if (v->regs.dr_hidden)
		vmcb->control.intercept_dr = DR_ACCESSES;
}

/* By bit number of enum reg_group; @clean: the VMCB clean bits it ends */
static const struct {
	void (*load)(struct vcpu_hw *v);
	void (*store)(struct vcpu_hw *v);
	u32 clean;
} group_rows[] = {
	{ load_rip, store_rip, 0 },
	{ load_rsp, store_rsp, 0 },
	{ load_cr, store_cr, CLEAN_CRX | CLEAN_CR2 | CLEAN_I },
	{ load_seg, store_seg, CLEAN_SEG },
	{ load_dt, store_dt, CLEAN_DT },
	{ load_msr, store_msr, CLEAN_NP },
	{ load_dr, store_dr, CLEAN_DRX | CLEAN_I },
};
static_assert(RG_ALL == (1 << ARRAY_SIZE(group_rows)) - 1, "a row a group");

/* What the core holds of this vCPU goes to its VMCB; it stays loaded */
static bool sync_loaded(const struct vcpu_arch *a)
{
	if (a->attention & ATT_LOAD)
		return false;
	svm_vmsave(a->vmcb_hpa);
	return true;
}

void svm_load_groups(struct vcpu_hw *v, u32 groups)
{
	struct vcpu_regs *r = &v->regs;
	u32 todo = groups & RG_ALL & ~(r->valid | vcpu_hw_dirty(r));

	if (todo & LOADED_GROUPS)
		sync_loaded(v->arch);
	for (; todo; todo &= todo - 1)
		group_rows[__builtin_ctz(todo)].load(v);
	r->valid |= groups & RG_ALL;
}

static void store_control(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;
	struct vmcb_control *c = &a->vmcb->control;

	c->tsc_offset = v->tsc_offset;
	c->v_tpr =
		(u8)(v->apic_page[APIC_TPR / sizeof(u32)] >> TPR_CLASS_SHIFT);
	svm_set_plain(a);
	svm_unclean(a, CLEAN_I | CLEAN_TPR);
	if (a->xcr0 != v->regs.xcr0)
		xsetbv(0, v->regs.xcr0);
	a->xcr0 = v->regs.xcr0;
}

void svm_store_groups(struct vcpu_hw *v, u32 groups)
{
	struct vcpu_arch *a = v->arch;
	bool reload = (groups & LOADED_GROUPS) && sync_loaded(a);
	u32 unclean = 0;

	for (u32 todo = groups & RG_ALL; todo; todo &= todo - 1) {
		u32 i = (u32)__builtin_ctz(todo);

		group_rows[i].store(v);
		unclean |= group_rows[i].clean;
	}
	if (groups & RG_CONTROL)
		store_control(v);
	if (reload)
		svm_vmload(a->vmcb_hpa);
	svm_unclean(a, unclean);
	v->regs.dirty &= ~(groups | (groups & RG_RIP ? RG_IP : 0u));
}
