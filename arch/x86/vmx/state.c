/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest state between struct vcpu_regs and the current VMCS, group by group
 * (SDM 3C 25.4 *Guest-State Area*). Called with the vCPU attached.
 *
 * CR0 and CR4 have three faces: what the guest sees (regs), what runs (VMCS
 * guest fields) and the read shadow. Bits the guest owns are the same in all;
 * host-owned bits (the mask) come from the shadow when the guest reads, and
 * from the fixed bits when it runs.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/vmx/internal.h"
#include "include/hw/cpu.h"
#include "mm/pmm.h"
#include "mm/pt.h"
#include "mm/window.h"

#define EFER_DEFINED (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
/* Bits 63:22, 15, 5 and 3 are zero (SDM 3C 27.3.1.4) */
#define RFLAGS_DEFINED (BITS(21, 16) | BITS(14, 6) | BIT(4) | BIT(2) | BIT(0))
#define PDPTE_COUNT    4u
#define PDPTE_RESERVED (BITS(8, 5) | BITS(2, 1))

#define ATTR_DEFINED (BITS(7, 0) | BITS(16, 12))

/* A guest that single-steps in a shadow must have its trap in the field for
 * pending ones (SDM 3C 27.3.1.5). Outside a shadow, the dispatcher has queued
 * the trap itself. */
static void store_pending_debug(const struct vcpu_regs *r)
{
	bool shadow = r->shadow & (SHADOW_STI | SHADOW_MOV_SS);
	u64 pending = 0;

	if (shadow)
		pending =
			vmreadnat(VMCS_GUEST_PENDING_DEBUG) & ~PENDING_DEBUG_BS;
	if (shadow && (r->rflags & RFLAGS_TF))
		pending |= PENDING_DEBUG_BS;
	vmwritenat(VMCS_GUEST_PENDING_DEBUG, pending);
}

static void load_rip(struct vcpu_hw *v)
{
	v->regs.rip = vmreadnat(VMCS_GUEST_RIP);
	v->regs.rflags = vmreadnat(VMCS_GUEST_RFLAGS);
	v->regs.shadow = (u8)vmread32(VMCS_GUEST_INTERRUPTIBILITY);
}

/* Blocking by STI goes with RFLAGS.IF, and not with blocking by MOV SS: an
 * entry fails otherwise (SDM 3C 27.3.1.5 *Checks on Guest Non-Register State*)
 */
u32 vmx_interruptibility(const struct vcpu_regs *r)
{
	u32 shadow = r->shadow & (SHADOW_STI | SHADOW_MOV_SS | SHADOW_NMI);

	if ((shadow & SHADOW_MOV_SS) || !(r->rflags & RFLAGS_IF))
		shadow &= ~(u32)SHADOW_STI;
	return shadow;
}

static void store_rip(struct vcpu_hw *v)
{
	const struct vcpu_regs *r = &v->regs;

	vmwritenat(VMCS_GUEST_RIP, r->rip);
	vmwritenat(VMCS_GUEST_RFLAGS,
		   (r->rflags & RFLAGS_DEFINED) | RFLAGS_FIXED);
	vmwrite32(VMCS_GUEST_INTERRUPTIBILITY, vmx_interruptibility(r));
	store_pending_debug(r);
}

static void load_rsp(struct vcpu_hw *v)
{
	v->regs.gpr[GPR_RSP] = vmreadnat(VMCS_GUEST_RSP);
}

static void store_rsp(struct vcpu_hw *v)
{
	vmwritenat(VMCS_GUEST_RSP, v->regs.gpr[GPR_RSP]);
}

static void load_cr(struct vcpu_hw *v)
{
	struct vcpu_regs *r = &v->regs;

	r->cr0 = (vmreadnat(VMCS_GUEST_CR0) & CR0_GUEST_OWNED) |
		 (vmreadnat(VMCS_CR0_SHADOW) & ~CR0_GUEST_OWNED);
	r->cr4 = (vmreadnat(VMCS_GUEST_CR4) & CR4_GUEST_OWNED) |
		 (vmreadnat(VMCS_CR4_SHADOW) & ~CR4_GUEST_OWNED);
	r->cr2 = read_cr2();
	r->cr3 = vmreadnat(VMCS_GUEST_CR3);
	r->efer = vmread64(VMCS_GUEST_EFER);
}

static u64 pdpte(const u64 *entry)
{
	u64 reserved = PDPTE_RESERVED | ~(BIT(cpu_features.phys_bits) - 1);
	u64 value = READ_ONCE(*entry);

	return (value & PTE_P) && (value & reserved) ? 0 : value;
}

/* The guest's four PDPTEs, from its memory through the EPT (SDM 3A 4.4.1).
 * hv/policy has checked them. An entry becomes zero, which is not present,
 * where there is no memory or the guest has changed it since. */
static void store_pdptes(const struct vcpu_hw *v)
{
	const struct page_table ept = { .fmt = &pt_ept,
					.root = hpa_to_virt(v->npt_root),
					.max_level = 3 };
	u64 gpa = v->regs.cr3 & 0xffffffe0ull;
	const u64 *entry = NULL;
	u64 left;
	hpa_t hpa;
	u32 attrs;

	if (!pt_query(&ept, gpa, &hpa, &attrs, &left))
		entry = (const u64 *)((u8 *)window_map(
					      HPA(hpa.v & ~PAGE_MASK)) +
				      (gpa & PAGE_MASK));
	for (u32 i = 0; i < PDPTE_COUNT; i++)
		vmwrite64(VMCS_GUEST_PDPTE(i), entry ? pdpte(entry + i) : 0);
}

static u64 running_cr0(u64 cr0)
{
	/* An unrestricted guest may clear PE and PG (SDM 3C 24.8) */
	u64 fixed0 = vmx_caps.cr0_fixed0 & ~(CR0_PE | CR0_PG);

	return ((cr0 & ~(CR0_CD | CR0_NW)) | fixed0 | CR0_NE | CR0_ET) &
	       vmx_caps.cr0_fixed1;
}

/* MCE stays on: a machine check is the host's, whatever the guest wants */
static u64 running_cr4(u64 cr4)
{
	return (cr4 | vmx_caps.cr4_fixed0 | CR4_MCE) & vmx_caps.cr4_fixed1;
}

/* Called rarely, at a reset or a mode change that the guest cannot make alone.
 * So what some such changes flush is always flushed (SDM 3A 4.10.4.1). */
static void store_cr(struct vcpu_hw *v)
{
	struct vcpu_regs *r = &v->regs;
	u32 entry = vmx_caps.control[CTL_ENTRY];
	u64 efer = r->efer & (EFER_DEFINED & ~EFER_LMA);

	if ((efer & EFER_LME) && (r->cr0 & CR0_PG)) {
		efer |= EFER_LMA;
		entry |= ENTRY_IA32E_GUEST;
	}
	r->efer = efer;
	vmwrite32(VMCS_ENTRY_CONTROLS, entry);
	vmwrite64(VMCS_GUEST_EFER, efer);
	vmwritenat(VMCS_GUEST_CR0, running_cr0(r->cr0));
	vmwritenat(VMCS_CR0_SHADOW, r->cr0);
	vmwritenat(VMCS_GUEST_CR4, running_cr4(r->cr4));
	vmwritenat(VMCS_CR4_SHADOW, r->cr4);
	vmwritenat(VMCS_GUEST_CR3, r->cr3 & ~CR3_NOFLUSH);
	write_cr2(r->cr2);
	vmx_flush_vpid(v->arch);
	if (r->load_pdptes && (r->cr0 & CR0_PG) && (r->cr4 & CR4_PAE) &&
	    !(efer & EFER_LMA))
		store_pdptes(v);
	r->load_pdptes = false;
}

/* G must say how the limit came about, whichever way the guest put it */
static u32 fix_granularity(u32 attr, u32 limit)
{
	if (limit & ~0xfffffu)
		return attr | SEG_ATTR_G;
	if ((limit & 0xfff) != 0xfff)
		return attr & ~(u32)SEG_ATTR_G;
	return attr;
}

/*
 * Segment attributes as VM entry wants them (SDM 3C 27.3.1.2 *Checks on Guest
 * Segment Registers*). The shared form is already the VMCS's; what differs is
 * what a CPU would have set when it loaded the segment, and granularity.
 */
u32 vmx_segment_access(enum seg seg, const struct segment *s)
{
	u32 attr = s->attr & ATTR_DEFINED;

	if (seg == SEG_TR)
		attr = (attr & ~(u32)SEG_ATTR_UNUSABLE) | SEG_ATTR_BUSY |
		       SEG_ATTR_P;
	if (attr & SEG_ATTR_UNUSABLE)
		return attr;
	if (!(attr & SEG_ATTR_P) && seg != SEG_CS)
		return attr | SEG_ATTR_UNUSABLE;
	if (attr & SEG_ATTR_S)
		attr |= SEG_ATTR_ACCESSED;
	return fix_granularity(attr, s->limit);
}

static void load_seg(struct vcpu_hw *v)
{
	for (u32 i = 0; i < SEG_COUNT; i++) {
		struct segment *s = &v->regs.seg[i];

		s->sel = vmread16(VMCS_GUEST_SEL(i));
		s->attr = vmread32(VMCS_GUEST_ACCESS(i));
		s->limit = vmread32(VMCS_GUEST_LIMIT(i));
		s->base = vmreadnat(VMCS_GUEST_BASE(i));
	}
}

static void store_seg(struct vcpu_hw *v)
{
	for (u32 i = 0; i < SEG_COUNT; i++) {
		const struct segment *s = &v->regs.seg[i];

		vmwrite16(VMCS_GUEST_SEL(i), s->sel);
		vmwrite32(VMCS_GUEST_ACCESS(i), vmx_segment_access(i, s));
		vmwrite32(VMCS_GUEST_LIMIT(i), s->limit);
		vmwritenat(VMCS_GUEST_BASE(i), s->base);
	}
}

static void load_dt(struct vcpu_hw *v)
{
	v->regs.gdtr.base = vmreadnat(VMCS_GUEST_GDTR_BASE);
	v->regs.gdtr.limit = vmread32(VMCS_GUEST_GDTR_LIMIT);
	v->regs.idtr.base = vmreadnat(VMCS_GUEST_IDTR_BASE);
	v->regs.idtr.limit = vmread32(VMCS_GUEST_IDTR_LIMIT);
}

static void store_dt(struct vcpu_hw *v)
{
	vmwritenat(VMCS_GUEST_GDTR_BASE, v->regs.gdtr.base);
	vmwrite32(VMCS_GUEST_GDTR_LIMIT, v->regs.gdtr.limit & 0xffff);
	vmwritenat(VMCS_GUEST_IDTR_BASE, v->regs.idtr.base);
	vmwrite32(VMCS_GUEST_IDTR_LIMIT, v->regs.idtr.limit & 0xffff);
}

/* SYSCALL's MSRs stay in the core while the vCPU is attached; SYSENTER's and
 * the PAT are switched by the VMCS */
static void load_msr(struct vcpu_hw *v)
{
	struct vcpu_regs *r = &v->regs;

	r->star = rdmsr(MSR_STAR);
	r->lstar = rdmsr(MSR_LSTAR);
	r->cstar = rdmsr(MSR_CSTAR);
	r->sfmask = rdmsr(MSR_SFMASK);
	r->kernel_gs_base = rdmsr(MSR_KERNEL_GS_BASE);
	r->pat = vmread64(VMCS_GUEST_PAT);
	r->sysenter_cs = vmread32(VMCS_GUEST_SYSENTER_CS);
	r->sysenter_esp = vmreadnat(VMCS_GUEST_SYSENTER_ESP);
	r->sysenter_eip = vmreadnat(VMCS_GUEST_SYSENTER_EIP);
}

static void store_msr(struct vcpu_hw *v)
{
	const struct vcpu_regs *r = &v->regs;

	wrmsr(MSR_STAR, r->star);
	wrmsr(MSR_LSTAR, r->lstar);
	wrmsr(MSR_CSTAR, r->cstar);
	wrmsr(MSR_SFMASK, r->sfmask);
	wrmsr(MSR_KERNEL_GS_BASE, r->kernel_gs_base);
	vmwrite64(VMCS_GUEST_PAT, r->pat);
	vmwrite32(VMCS_GUEST_SYSENTER_CS, (u32)r->sysenter_cs);
	vmwritenat(VMCS_GUEST_SYSENTER_ESP, r->sysenter_esp);
	vmwritenat(VMCS_GUEST_SYSENTER_EIP, r->sysenter_eip);
}

/* DR0-3 stay in the core: vmx_attach() and vmx_put() */
static void load_dr(struct vcpu_hw *v)
{
	v->regs.dr[6] = read_dr6();
	v->regs.dr[7] = vmreadnat(VMCS_GUEST_DR7);
	v->regs.pending_debug = (u16)vmreadnat(VMCS_GUEST_PENDING_DEBUG);
}

static void store_dr(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;
	u32 controls = a->cpu_controls & ~(u32)CPU_MOV_DR_EXITING;

	write_dr6((u32)v->regs.dr[6]);
	vmwritenat(VMCS_GUEST_DR7, (u32)v->regs.dr[7]);
	if (!v->regs.breakpoints || v->regs.dr_hidden)
		controls |= CPU_MOV_DR_EXITING;
	vmx_set_cpu_controls(a, controls);
}

/* By bit number of enum reg_group */
static const struct {
	void (*load)(struct vcpu_hw *v);
	void (*store)(struct vcpu_hw *v);
} group_rows[] = {
	{ load_rip, store_rip }, { load_rsp, store_rsp },
	{ load_cr, store_cr },   { load_seg, store_seg },
	{ load_dt, store_dt },   { load_msr, store_msr },
	{ load_dr, store_dr },
};
static_assert(RG_ALL == (1 << ARRAY_SIZE(group_rows)) - 1, "a row a group");

void vmx_load_groups(struct vcpu_hw *v, u32 groups)
{
	struct vcpu_regs *r = &v->regs;
	u32 todo = groups & RG_ALL & ~(r->valid | vcpu_hw_dirty(r));

	if (!vmx_loaded(v))
		return;
	for (; todo; todo &= todo - 1)
		group_rows[__builtin_ctz(todo)].load(v);
	r->valid |= groups & RG_ALL;
}

void vmx_store_groups(struct vcpu_hw *v, u32 groups)
{
	for (u32 todo = groups & RG_ALL; todo; todo &= todo - 1)
		group_rows[__builtin_ctz(todo)].store(v);
	v->regs.dirty &= ~(groups | (groups & RG_RIP ? RG_IP : 0u));
}
