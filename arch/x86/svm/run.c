/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One stay in the guest: what every entry stores and every exit collects, and
 * the exits that must cost least (APM 2 15.5 *VMRUN Instruction*, 15.6
 * *#VMEXIT*). The other exit codes are rows in exit.c. Called by the run loop
 * with interrupts off; nothing here is shared with another core.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/nospec.h"
#include "arch/x86/svm/internal.h"
#include "include/hw/cpuid.h"
#include "include/hw/lapic.h"

#define TPR_INDEX (APIC_TPR / sizeof(u32))

/*
 * enter.asm: interrupts on behind GIF, VMRUN, interrupts off. The GPRs but RAX
 * and RSP come from and go to gpr[] (enum gpr). It keeps only RBP and RSP of
 * its caller's registers, so that each is saved once. Two that have to be
 * overwritten anyway come back as the vCPU's arch and VMCB.
 */
static inline struct vcpu_arch *enter(struct vcpu_hw *v, struct vmcb **vmcb)
{
	u64 vmcb_hpa = v->arch->vmcb_hpa.v;
	void *regs = v->regs.gpr;

	__asm__ volatile("call svm_enter"
			 : "+D"(vmcb_hpa), "+S"(regs), "=b"(*vmcb)
			 :
			 : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12",
			   "r13", "r14", "r15", "memory", "cc");
	return regs;
}
/* What enter.asm knows of C's structures */
static_assert(offsetof(struct vcpu_hw, regs.gpr) == 0, "gpr[]");
static_assert(offsetof(struct vcpu_hw, arch) == 0x248, "ARCH");
static_assert(offsetof(struct vcpu_arch, vmcb) == 0, "VMCB");

/* Before the entry: bring up to date what the last exit left otherwise */
static __attribute__((noinline)) void entry_prepare(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	if (a->vmcb->control.tsc_offset != v->tsc_offset) {
		a->vmcb->control.tsc_offset = v->tsc_offset;
		svm_unclean(a, CLEAN_I);
	}
	if (a->xcr0 != v->regs.xcr0) {
		a->xcr0 = v->regs.xcr0;
		xsetbv(0, a->xcr0);
	}
	if (!a->loaded)
		svm_load(a, this_cpu());
}

static inline bool entry_is_plain(const struct vcpu_hw *v,
				  const struct vcpu_arch *a,
				  const struct vmcb *vmcb)
{
	return vmcb->control.tsc_offset == v->tsc_offset &&
	       a->xcr0 == v->regs.xcr0 && a->loaded;
}

/* RIP is nearly always all that changed */
static inline void entry_store(struct vcpu_hw *v, struct vmcb *vmcb)
{
	struct vcpu_regs *r = &v->regs;

	if (likely(r->dirty == RG_IP)) {
		vmcb->save.rip = r->rip;
		r->dirty = 0;
	} else if (r->dirty) {
		svm_store_groups(v, vcpu_hw_dirty(r));
	}
	vmcb->save.rax = r->gpr[GPR_RAX];
	vmcb->save.cr2 = r->cr2;
	vmcb->control.v_tpr = (u8)(v->apic_page[TPR_INDEX] >> TPR_CLASS_SHIFT);
}

static inline void exit_collect(struct vcpu_hw *v, const struct vcpu_arch *a,
				struct vmcb *vmcb)
{
	struct vcpu_regs *r = &v->regs;
	u32 vintr = (u32)(vmcb->control.vintr & (VINTR_TPR_CLASS | VINTR_IRQ));

	r->gpr[GPR_RAX] = vmcb->save.rax;
	r->cr2 = vmcb->save.cr2;
	r->rip = vmcb->save.rip;
	r->rflags = vmcb->save.rflags;
	r->shadow = (u8)((vmcb->control.interrupt_shadow & INTERRUPT_SHADOW) |
			 a->nmi_shadow);
	r->valid = RG_RIP;
	vmcb->control.eventinj = 0;
	vmcb->control.tlb_control = TLB_DO_NOTHING;
	vmcb->control.vmcb_clean = svm_caps.clean_kept;
	if (unlikely(vintr != v->apic_page[TPR_INDEX] >> TPR_CLASS_SHIFT))
		svm_exit_vintr(v, vintr);
}

/* The length of the instruction, or what the dispatcher needs to find it */
static inline void exit_insn(struct vcpu_hw *v, struct vcpu_exit *exit,
			     const struct vmcb *vmcb)
{
	struct vcpu_regs *r = &v->regs;

	if (svm_caps.nrips) {
		exit->insn_len = (u8)(vmcb->control.nrip - vmcb->save.rip);
	} else {
		svm_load_code(v);
	}
	/* QUIRK(tcg-7.2): it has no XSETBV intercept. Where CPUID's answer
	 * depends on XCR0, the core's own value is the right one. */
	if (unlikely((u32)r->gpr[GPR_RAX] == CPUID_XSAVE))
		svm_xcr0_sync(v);
}

static bool exit_decode_more(struct vcpu_hw *v, const struct vmcb *vmcb,
			     bool (*decode)(struct vcpu_hw *,
					    struct vcpu_exit *))
{
	struct vcpu_exit *exit;

	/* So that this address is not kept ready for every exit */
	__asm__("" : "+r"(v));
	exit = &v->exit;
	exit->insn_len = 0;
	exit->info1 = vmcb->control.exitinfo1;
	exit->info2 = vmcb->control.exitinfo2;
	return decode(v, exit);
}

static inline void exit_port(struct vcpu_exit *exit, const struct vmcb *vmcb)
{
	u32 info = (u32)vmcb->control.exitinfo1;

	exit->kind = EXIT_PORT;
	exit->insn_len = (u8)(vmcb->control.exitinfo2 - vmcb->save.rip);
	exit->port.port = (u16)(info >> IOIO_PORT_SHIFT);
	exit->port.size = info >> IOIO_SIZE_SHIFT & 7;
	exit->port.in = info & IOIO_IN;
	exit->port.string = info & IOIO_STR;
}

/* False: nothing for the core, enter again */
static inline bool exit_decode(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	struct vcpu_exit *exit = &v->exit;
	u64 code = vmcb->control.exitcode;
	const struct svm_exit_row *row;

	exit->raw_reason = code;
	exit->vectoring.type = EVENT_NONE;
	if (unlikely(vmcb->control.exitintinfo & EVENT_VALID))
		svm_event_from_info(&exit->vectoring,
				    vmcb->control.exitintinfo);
	if (code == VMEXIT_IOIO) {
		exit_port(exit, vmcb);
		return true;
	}
	if (unlikely(code >= SVM_EXIT_ROWS))
		return exit_decode_more(v, vmcb, svm_decode_rare);
	row = &svm_exit_rows[index_nospec(code, ARRAY_SIZE(svm_exit_rows))];
	exit->kind = row->kind;
	exit->insn_len = 0;
	if (row->insn)
		exit_insn(v, exit, vmcb);
	if (row->decode)
		return exit_decode_more(v, vmcb, row->decode);
	return true;
}

void svm_run(struct vcpu_hw *v)
{
	const struct vcpu_arch *a;
	struct vmcb *vmcb;

	do {
		a = v->arch;
		vmcb = a->vmcb;
		entry_store(v, vmcb);
		if (unlikely(!entry_is_plain(v, a, vmcb)))
			entry_prepare(v);
		a = enter(v, &vmcb);
		exit_collect(v, a, vmcb);
	} while (unlikely(!exit_decode(v, vmcb)));
}
