/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What svm_run (enter.asm) does in C before an entry and after an exit (APM 2
 * 15.5 *VMRUN Instruction*, 15.6 *#VMEXIT*). On the hot path nothing or RG_IP
 * is dirty, and the exit's row (exit.c) has no decode function. With interrupts
 * off; nothing here is shared with another core.
 */
#include "arch/x86/cpu/nospec.h"
#include "arch/x86/svm/internal.h"

/* What enter.asm knows of C's structures */
static_assert(offsetof(struct vcpu_hw, regs.gpr) == 0, "gpr[]");
static_assert(offsetof(struct vcpu_hw, regs.rip) == 0x80, "RIP_");
static_assert(offsetof(struct vcpu_hw, regs.dirty) == 0x98, "DIRTY_");
static_assert(offsetof(struct vcpu_hw, arch) == 0x248, "ARCH_");
static_assert(offsetof(struct vcpu_arch, vmcb) == 0, "VMCB_");
static_assert(offsetof(struct vcpu_arch, vmcb_hpa) == 8, "VMCB_HPA_");
static_assert(offsetof(struct vcpu_arch, attention) == 16, "ATTENTION_");
static_assert(offsetof(struct vmcb, save.rip) == 0x578, "SAVE_RIP");
static_assert(offsetof(struct vmcb, save.rax) == 0x5f8, "SAVE_RAX");
static_assert(RG_IP == 1 << 8, "RG_IP");

/* The interrupt window that was asked for is open as the guest is entered: the
 * exit VINTR comes without the entry. */
static bool window_is_open(struct vcpu_hw *v)
{
	const struct vmcb *vmcb = v->arch->vmcb;

	if (!(vmcb->save.rflags & RFLAGS_IF) ||
	    (vmcb->control.interrupt_shadow & INTERRUPT_SHADOW) ||
	    (vmcb->control.eventinj & EVENT_VALID))
		return false;
	svm_exit_fill(v, VMEXIT_VINTR);
	return true;
}

/* Not instead of an event's delivery, nor before the core is the guest's */
static bool takes_irqs(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	if ((a->attention & ATT_LOAD) ||
	    (a->vmcb->control.eventinj & EVENT_VALID))
		return false;
	a->attention &= ~(u32)ATT_IRQS;
	svm_exit_fill(v, VMEXIT_INTR);
	return true;
}

bool svm_prepare(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	if (v->regs.dirty)
		svm_store_groups(v, vcpu_hw_dirty(&v->regs));
	if ((a->attention & ATT_WINDOW) && window_is_open(v))
		return false;
	if (unlikely(a->attention & ATT_IRQS) && takes_irqs(v))
		return false;
	if (a->attention & ATT_LOAD)
		svm_load(a, this_cpu());
	return true;
}

/* Without NRIP save the dispatcher finds the length of the instruction */
static __attribute__((noinline)) void
fill_without_nrip(struct vcpu_hw *v, const struct vmcb *vmcb,
		  const struct svm_exit_row *row)
{
	v->exit.insn_len = 0;
	if (row->len_mask)
		svm_load_insn(v);
	if (row->decode)
		row->decode(v, vmcb);
}

static inline void fill(struct vcpu_hw *v, const struct vmcb *vmcb, u64 code)
{
	struct vcpu_exit *exit = &v->exit;
	const struct svm_exit_row *row;

	exit->raw_reason = code;
	exit->vectoring.type = EVENT_NONE;
	if (unlikely(code >= SVM_EXIT_ROWS)) {
		svm_decode_rare(v, vmcb);
		return;
	}
	row = &svm_exit_rows[index_nospec(code, ARRAY_SIZE(svm_exit_rows))];
	exit->kind = row->kind;
	if (unlikely(!svm_caps.nrips)) {
		fill_without_nrip(v, vmcb, row);
		return;
	}
	exit->insn_len =
		(u8)(vmcb->control.nrip - vmcb->save.rip) & row->len_mask;
	if (row->decode)
		row->decode(v, vmcb);
}

void svm_exit_fill(struct vcpu_hw *v, u64 code)
{
	fill(v, v->arch->vmcb, code);
}

/* What few exits bring: see plain_vintr; or an interrupted delivery */
static __attribute__((noinline)) void look(struct vcpu_hw *v, struct vmcb *vmcb)
{
	struct vcpu_exit *exit = &v->exit;

	v->regs.shadow |= (u8)v->arch->nmi_shadow;
	vmcb->control.tlb_control = TLB_DO_NOTHING;
	svm_exit_vintr(v, (u32)vmcb->control.vintr);
	svm_set_plain(v->arch);
	fill(v, vmcb, vmcb->control.exitcode);
	svm_event_from_info(&exit->vectoring, vmcb->control.exitintinfo);
	if (exit->vectoring.type != EVENT_NONE)
		exit->insn_len = 0;
	if (exit->vectoring.type == EVENT_EXCEPTION &&
	    exit->vectoring.vector == EXC_PF)
		v->regs.cr2 = vmcb->save.cr2; /* it is injected again with it */
}

void svm_exited(struct vcpu_hw *v, const struct vcpu_arch *a, struct vmcb *vmcb)
{
	struct vcpu_regs *r = &v->regs;

	r->gpr[GPR_RAX] = vmcb->save.rax;
	r->rip = vmcb->save.rip;
	r->rflags = vmcb->save.rflags;
	r->shadow = (u8)(vmcb->control.interrupt_shadow & INTERRUPT_SHADOW);
	r->valid = RG_RIP;
	r->dirty = 0;
	vmcb->control.eventinj = 0;
	vmcb->control.vmcb_clean = CLEAN_ALL;
	if (unlikely((u32)vmcb->control.vintr != a->plain_vintr) ||
	    unlikely(vmcb->control.intinfo.valid < 0))
		look(v, vmcb);
	else
		fill(v, vmcb, vmcb->control.exitcode);
}
