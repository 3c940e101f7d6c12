/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * #VMEXIT codes (APM 2 appendix C) to struct vcpu_exit: a table by exit code. A
 * row without a decode function is complete with its kind and the instruction
 * length. An absent row is EXIT_UNKNOWN, which kills the guest. IOIO has no
 * row: run.c decodes it.
 */
#include "arch/x86/svm/internal.h"

static bool decode_msr(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	exit->kind = exit->info1 & 1 ? EXIT_WRMSR : EXIT_RDMSR;
	return true;
}

/* The emulator's decoder always asks for CRs and CS: they come at once */
static bool decode_npf(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	u64 error = exit->info1;

	svm_load_code(v);
	exit->kind = EXIT_MMIO;
	exit->mmio.gpa = GPA(exit->info2);
	exit->mmio.walk = error & NPF_WALK;
	exit->mmio.access = error & NPF_W ? ACCESS_W : ACCESS_R;
	if (error & NPF_ID)
		exit->mmio.access = ACCESS_X;
	return true;
}

static bool nmi_window_exit(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	bool asked = v->arch->nmi_window;

	v->arch->nmi_window = false;
	exit->kind = EXIT_NMI_WINDOW;
	return asked;
}

static bool decode_exception(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	u8 vector = (u8)(exit->raw_reason - VMEXIT_EXCP0);

	if (exit->raw_reason == VMEXIT_EXCP_DB && svm_step_exit(v))
		return nmi_window_exit(v, exit);
	svm_step_abort(v);
	if (vector == EXC_PF)
		v->regs.cr2 = exit->info2; /* intercepted, so not yet there */
	exit->exception = (struct vcpu_event){
		.type = EVENT_EXCEPTION,
		.vector = vector,
		.has_error = EXC_HAS_ERROR_MASK >> vector & 1,
		.error = (u32)exit->info1,
	};
	return true;
}

/* Without NRIP save insn_len stays 0, and the dispatcher finds the length */
static bool decode_icebp(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	const struct vmcb *vmcb = v->arch->vmcb;

	exit->exception = (struct vcpu_event){
		.type = EVENT_PRIV_EXCEPTION,
		.vector = EXC_DB,
	};
	if (svm_caps.nrips)
		exit->exception.insn_len =
			(u8)(vmcb->control.nrip - vmcb->save.rip);
	return true;
}

/* Nothing to decode, but the exit may have come in the place of a step's */
static bool decode_nothing(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	svm_step_abort(v);
	return true;
}

/* The instruction has not run yet, and shall now (APM 2 15.14.5 *Bus Lock
 * Threshold*) */
static bool decode_bus_lock(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	svm_step_abort(v);
	v->arch->vmcb->control.bus_lock_counter = BUS_LOCKS;
	svm_unclean(v->arch, CLEAN_I);
	return true;
}

static bool decode_irq(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	svm_step_abort(v);
	exit->irq.acked = false;
	if (unlikely(svm_nmi_window_open(v->arch)))
		return nmi_window_exit(v, exit);
	return true;
}

/* The NMI or SMI waits for GIF: it is taken now, through the IDT or SMM, and
 * nothing is left of it for the exit's handler. But the dispatcher has to put
 * an event back whose delivery it interrupted. */
static bool decode_nmi(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	svm_step_abort(v);
	svm_unload(this_cpu());
	return exit->vectoring.type != EVENT_NONE;
}

static bool decode_irq_window(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	svm_step_abort(v);
	svm_close_window(v);
	return true;
}

/* An IRET that switches tasks cannot be stepped over, because TF would go into
 * the TSS: hv/emulate/task_switch.c does it. */
static bool iret_switches_task(const struct vmcb_save *s)
{
	return (s->rflags & RFLAGS_NT) && !(s->rflags & RFLAGS_VM) &&
	       (s->cr0 & CR0_PE) && !(s->efer & EFER_LMA);
}

static bool decode_iret(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	if (iret_switches_task(&v->arch->vmcb->save)) {
		exit->kind = EXIT_TASK_SWITCH;
		exit->task.source = TASK_IRET;
		return true;
	}
	svm_step_begin(v);
	return false;
}

/* Without decode assists the dispatcher decodes register and length */
static bool decode_cr(struct vcpu_hw *v, struct vcpu_exit *exit, u8 cr,
		      bool write)
{
	const struct vmcb *vmcb = v->arch->vmcb;

	exit->cr.cr = cr;
	exit->cr.write = write;
	exit->cr.lmsw = false;
	exit->cr.clts = false;
	exit->cr.gpr = GPR_COUNT;
	if (svm_caps.decode_assists && svm_caps.nrips &&
	    (exit->info1 & CRX_VALID)) {
		exit->cr.gpr = (u8)(exit->info1 & CRX_GPR);
		exit->insn_len = (u8)(vmcb->control.nrip - vmcb->save.rip);
	}
	return true;
}

/* CLTS, LMSW and SMSW come here, too. Which it was, decode assists tell of MOV
 * alone. */
static bool decode_cr0(struct vcpu_hw *v, struct vcpu_exit *exit, bool write)
{
	decode_cr(v, exit, 0, write);
	if (exit->cr.gpr == GPR_COUNT)
		exit->kind = EXIT_CR0;
	return true;
}

static bool decode_cr0_read(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	return decode_cr0(v, exit, false);
}

static bool decode_cr0_write(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	return decode_cr0(v, exit, true);
}

static bool decode_cr8(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	svm_close_window(v);
	return decode_cr(v, exit, 8, true);
}

static bool decode_cr4_read(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	return decode_cr(v, exit, 4, false);
}

static bool decode_cr4_write(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	return decode_cr(v, exit, 4, true);
}

/* clang-format off */
const struct svm_exit_row svm_exit_rows[256] = {
	[VMEXIT_CR0_READ] = { EXIT_CR, false, decode_cr0_read },
	[VMEXIT_CR0_WRITE] = { EXIT_CR, false, decode_cr0_write },
	[VMEXIT_CR0_SEL_WRITE] = { EXIT_CR, false, decode_cr0_write },
	[VMEXIT_CR4_READ] = { EXIT_CR, false, decode_cr4_read },
	[VMEXIT_CR4_WRITE] = { EXIT_CR, false, decode_cr4_write },
	[VMEXIT_CR8_WRITE] = { EXIT_CR, false, decode_cr8 },
	[VMEXIT_DR0_WRITE + 5] = { EXIT_DR, false, NULL },
	[VMEXIT_DR0_WRITE + 7] = { EXIT_DR, false, NULL },
	/* EXCEPTIONS, and all of them while an IRET is stepped over */
	[VMEXIT_EXCP0 ... VMEXIT_EXCP_AC] = { EXIT_EXCEPTION, false,
					      decode_exception },
	[VMEXIT_EXCP_MC] = { EXIT_MACHINE_CHECK, false, decode_nothing },
	[VMEXIT_EXCP_XM ... VMEXIT_EXCP31] = { EXIT_EXCEPTION, false,
					       decode_exception },
	[VMEXIT_INTR] = { EXIT_IRQ, false, decode_irq },
	[VMEXIT_NMI] = { EXIT_NMI, false, decode_nmi },
	[VMEXIT_SMI] = { EXIT_SMI, false, decode_nmi },
	[VMEXIT_INIT] = { EXIT_INIT, false, decode_nothing },
	[VMEXIT_VINTR] = { EXIT_IRQ_WINDOW, false, decode_irq_window },
	[VMEXIT_RDPMC] = { EXIT_RDPMC, true, NULL },
	[VMEXIT_CPUID] = { EXIT_CPUID, true, NULL },
	[VMEXIT_RSM] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_IRET] = { EXIT_UNKNOWN, false, decode_iret },
	[VMEXIT_INVD] = { EXIT_INVD, true, NULL },
	[VMEXIT_PAUSE] = { EXIT_PAUSE, true, NULL },
	[VMEXIT_HLT] = { EXIT_HLT, true, NULL },
	[VMEXIT_INVLPGA] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_MSR] = { EXIT_RDMSR, true, decode_msr },
	[VMEXIT_SHUTDOWN] = { EXIT_TRIPLE_FAULT, false, NULL },
	[VMEXIT_VMRUN] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_VMMCALL] = { EXIT_HYPERCALL, true, NULL },
	[VMEXIT_VMLOAD] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_VMSAVE] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_STGI] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_CLGI] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_SKINIT] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_ICEBP] = { EXIT_EXCEPTION, false, decode_icebp },
	[VMEXIT_WBINVD] = { EXIT_WBINVD, true, NULL },
	[VMEXIT_MONITOR] = { EXIT_MONITOR, true, NULL },
	[VMEXIT_MWAIT] = { EXIT_MWAIT, true, NULL },
	[VMEXIT_MWAIT_CONDITIONAL] = { EXIT_MWAIT, true, NULL },
	[VMEXIT_XSETBV] = { EXIT_XSETBV, true, NULL },
	[VMEXIT_RDPRU] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_INVLPGB] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_INVLPGB_ILLEGAL] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_MCOMMIT] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_TLBSYNC] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_BUSLOCK] = { EXIT_BUS_LOCK, false, decode_bus_lock },
};
/* clang-format on */

/* An entry that the CPU refused has flushed nothing, whatever it was asked: the
 * next one flushes all */
static void entry_failed(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	exit->kind = EXIT_ENTRY_FAILED;
	v->arch->vmcb->control.tlb_control = TLB_FLUSH_ALL;
}

/*
 * QUIRK(tcg-7.2): a guest that sets a reserved bit of CR4 exits with a 32-bit
 * -1, where a CPU raises #GP in the guest. A refused VMRUN ends the same way,
 * but then the VMCB has the host's registers as the guest's: those must never
 * run.
 */
static bool decode_refused(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	const struct vmcb *vmcb = v->arch->vmcb;

	if ((vmcb->control.exitintinfo & EVENT_VALID) ||
	    vmcb->save.rip == (u64)svm_enter_vmrun) {
		entry_failed(v, exit);
		return true;
	}
	exit->kind = EXIT_EXCEPTION;
	exit->exception = (struct vcpu_event){
		.type = EVENT_EXCEPTION,
		.vector = EXC_GP,
		.has_error = true,
	};
	return true;
}

bool svm_decode_rare(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	svm_step_abort(v);
	if (exit->raw_reason == VMEXIT_NPF)
		return decode_npf(v, exit);
	if (exit->raw_reason == VMEXIT_INVALID_TCG)
		return decode_refused(v, exit);
	exit->kind = EXIT_UNKNOWN;
	if (exit->raw_reason == VMEXIT_INVALID)
		entry_failed(v, exit);
	return true;
}
