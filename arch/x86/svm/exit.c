/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * #VMEXIT codes (APM 2 appendix C) to struct vcpu_exit: a table by exit code. A
 * row without a decode function is complete with its kind and the instruction
 * length. An absent row is EXIT_UNKNOWN, which kills the guest.
 */
#include "arch/x86/svm/internal.h"
#include "include/hw/cpuid.h"

/* QUIRK(tcg-7.2): it has no XSETBV intercept. Where CPUID's answer depends on
 * XCR0, the core's own value is the right one. */
void svm_load_insn(struct vcpu_hw *v)
{
	svm_load_code(v);
	if (unlikely((u32)v->regs.gpr[GPR_RAX] == CPUID_XSAVE))
		svm_xcr0_sync(v);
}

static void decode_msr(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	struct vcpu_exit *exit = &v->exit;

	if (vmcb->control.exitinfo1 & 1)
		exit->kind = EXIT_WRMSR;
}

static void decode_io(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	struct vcpu_exit *exit = &v->exit;
	u32 flags = vmcb->control.ioio.flags;

	exit->insn_len = (u8)(vmcb->control.exitinfo2 - vmcb->save.rip);
	exit->port.port = vmcb->control.ioio.port;
	exit->port.size = flags >> IOIO_SIZE_SHIFT & 7;
	exit->port.in = flags & IOIO_IN;
	exit->port.string = flags & IOIO_STR;
}

/* Of so many polls one takes the interrupts that wait */
#define POLLS_A_LOOK 8u

void svm_guest_polls(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	if (!(v->regs.rflags & RFLAGS_IF) && !(++a->polls % POLLS_A_LOOK))
		a->attention |= ATT_IRQS;
}

static void look_for_irqs(struct vcpu_hw *v)
{
	if (unlikely(svm_caps.irqs_held))
		svm_guest_polls(v);
}

static void decode_pause(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	look_for_irqs(v);
}

/* The emulator's decoder always asks for CRs and CS: they come at once */
static void decode_npf(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	struct vcpu_exit *exit = &v->exit;
	u64 error = vmcb->control.exitinfo1;

	svm_load_code(v);
	look_for_irqs(v);
	exit->kind = EXIT_MMIO;
	exit->mmio.gpa = GPA(vmcb->control.exitinfo2);
	exit->mmio.walk = error & NPF_WALK;
	exit->mmio.access = error & NPF_W ? ACCESS_W : ACCESS_R;
	if (error & NPF_ID)
		exit->mmio.access = ACCESS_X;
}

static void nmi_window_exit(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	struct vcpu_exit *exit = &v->exit;

	exit->kind = v->arch->nmi_window ? EXIT_NMI_WINDOW : EXIT_BACKEND;
	v->arch->nmi_window = false;
}

static void decode_exception(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	struct vcpu_exit *exit = &v->exit;
	u8 vector = (u8)(exit->raw_reason - VMEXIT_EXCP0);

	if (exit->raw_reason == VMEXIT_EXCP_DB && svm_step_exit(v)) {
		nmi_window_exit(v, vmcb);
		return;
	}
	svm_step_abort(v);
	if (vector == EXC_PF) /* intercepted, so not yet there */
		svm_set_cr2(v, vmcb->control.exitinfo2);
	exit->exception = (struct vcpu_event){
		.type = EVENT_EXCEPTION,
		.vector = vector,
		.has_error = EXC_HAS_ERROR_MASK >> vector & 1,
		.error = (u32)vmcb->control.exitinfo1,
	};
}

/* Without NRIP save insn_len stays 0, and the dispatcher finds the length */
static void decode_icebp(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	struct vcpu_exit *exit = &v->exit;

	exit->exception = (struct vcpu_event){
		.type = EVENT_PRIV_EXCEPTION,
		.vector = EXC_DB,
	};
	if (svm_caps.nrips)
		exit->exception.insn_len =
			(u8)(vmcb->control.nrip - vmcb->save.rip);
}

/* Nothing to decode, but the exit may have come in the place of a step's */
static void decode_nothing(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	svm_step_abort(v);
}

/* The instruction has not run yet, and shall now (APM 2 15.14.5 *Bus Lock
 * Threshold*) */
static void decode_bus_lock(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	svm_step_abort(v);
	v->arch->vmcb->control.bus_lock_counter = BUS_LOCKS;
	svm_unclean(v->arch, CLEAN_I);
}

/* The interrupt waits for GIF: it is taken now, and nothing is left of it for
 * the exit's handler */
static void decode_irq(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	svm_step_abort(v);
	if (unlikely(v->arch->nmi_window) && svm_nmi_window_open(v->arch)) {
		nmi_window_exit(v, vmcb);
		return;
	}
	v->exit.irq.acked = false;
	svm_take_interrupts(v->arch);
}

/* The NMI or SMI waits for GIF: it is taken now, through the IDT or SMM, and
 * nothing is left of it for the exit's handler */
static void decode_nmi(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	svm_step_abort(v);
	svm_unload(this_cpu());
}

static void decode_irq_window(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	svm_step_abort(v);
	svm_close_window(v);
}

/* An IRET that switches tasks cannot be stepped over, because TF would go into
 * the TSS: hv/emulate/task_switch.c does it. */
static bool iret_switches_task(const struct vmcb_save *s)
{
	return (s->rflags & RFLAGS_NT) && !(s->rflags & RFLAGS_VM) &&
	       (s->cr0 & CR0_PE) && !(s->efer & EFER_LMA);
}

static void decode_iret(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	struct vcpu_exit *exit = &v->exit;

	if (iret_switches_task(&vmcb->save)) {
		exit->kind = EXIT_TASK_SWITCH;
		exit->task.source = TASK_IRET;
		exit->task.insn_len = 0;
		return;
	}
	svm_step_begin(v);
}

/* Without decode assists the dispatcher decodes register and length */
static void decode_cr(struct vcpu_hw *v, const struct vmcb *vmcb, u8 cr,
		      bool write)
{
	struct vcpu_exit *exit = &v->exit;

	exit->cr.cr = cr;
	exit->cr.write = write;
	exit->cr.lmsw = false;
	exit->cr.clts = false;
	exit->cr.gpr = GPR_COUNT;
	if (svm_caps.decode_assists && svm_caps.nrips &&
	    (vmcb->control.exitinfo1 & CRX_VALID)) {
		exit->cr.gpr = (u8)(vmcb->control.exitinfo1 & CRX_GPR);
		exit->insn_len = (u8)(vmcb->control.nrip - vmcb->save.rip);
	}
}

/* CLTS, LMSW and SMSW come here, too. Which it was, decode assists tell of MOV
 * alone. */
static void decode_cr0(struct vcpu_hw *v, const struct vmcb *vmcb, bool write)
{
	struct vcpu_exit *exit = &v->exit;

	decode_cr(v, vmcb, 0, write);
	if (exit->cr.gpr == GPR_COUNT)
		exit->kind = EXIT_CR0;
}

static void decode_cr0_read(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	decode_cr0(v, vmcb, false);
}

/* QUIRK(bochs-2.7): EFER.LMA is already what the write would have made of it
 * (SetCR0() of cpu/crregs.cc); what it is follows from LME and PG */
static void decode_cr0_write(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	struct vmcb_save *s = &v->arch->vmcb->save;

	s->efer &= ~EFER_LMA;
	if ((s->efer & EFER_LME) && (s->cr0 & CR0_PG))
		s->efer |= EFER_LMA;
	decode_cr0(v, vmcb, true);
}

static void decode_cr8(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	svm_close_window(v);
	decode_cr(v, vmcb, 8, true);
}

static void decode_cr4_read(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	decode_cr(v, vmcb, 4, false);
}

static void decode_cr4_write(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	decode_cr(v, vmcb, 4, true);
}

#define LEN 0xff

/* clang-format off */
const struct svm_exit_row svm_exit_rows[256] = {
	[VMEXIT_CR0_READ] = { EXIT_CR, 0, decode_cr0_read },
	[VMEXIT_CR0_WRITE] = { EXIT_CR, 0, decode_cr0_write },
	[VMEXIT_CR0_SEL_WRITE] = { EXIT_CR, 0, decode_cr0_write },
	[VMEXIT_CR4_READ] = { EXIT_CR, 0, decode_cr4_read },
	[VMEXIT_CR4_WRITE] = { EXIT_CR, 0, decode_cr4_write },
	[VMEXIT_CR8_WRITE] = { EXIT_CR, 0, decode_cr8 },
	[VMEXIT_DR0_READ ... VMEXIT_DR0_READ + 7] = { EXIT_DR, 0, NULL },
	[VMEXIT_DR0_WRITE ... VMEXIT_DR0_WRITE + 7] = { EXIT_DR, 0, NULL },
	/* EXCEPTIONS, and all of them while an IRET is stepped over */
	[VMEXIT_EXCP0 ... VMEXIT_EXCP_AC] = { EXIT_EXCEPTION, 0,
					      decode_exception },
	[VMEXIT_EXCP_MC] = { EXIT_MACHINE_CHECK, 0, decode_nothing },
	[VMEXIT_EXCP_XM ... VMEXIT_EXCP31] = { EXIT_EXCEPTION, 0,
					       decode_exception },
	[VMEXIT_INTR] = { EXIT_IRQ, 0, decode_irq },
	[VMEXIT_NMI] = { EXIT_BACKEND, 0, decode_nmi },
	[VMEXIT_SMI] = { EXIT_BACKEND, 0, decode_nmi },
	[VMEXIT_INIT] = { EXIT_INIT, 0, decode_nothing },
	[VMEXIT_VINTR] = { EXIT_IRQ_WINDOW, 0, decode_irq_window },
	[VMEXIT_RDPMC] = { EXIT_RDPMC, LEN, NULL },
	[VMEXIT_CPUID] = { EXIT_CPUID, LEN, NULL },
	[VMEXIT_RSM] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_IRET] = { EXIT_BACKEND, 0, decode_iret },
	[VMEXIT_INVD] = { EXIT_INVD, LEN, NULL },
	[VMEXIT_PAUSE] = { EXIT_PAUSE, LEN, decode_pause },
	[VMEXIT_HLT] = { EXIT_HLT, LEN, NULL },
	[VMEXIT_INVLPGA] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_IOIO] = { EXIT_PORT, 0, decode_io },
	[VMEXIT_MSR] = { EXIT_RDMSR, LEN, decode_msr },
	[VMEXIT_SHUTDOWN] = { EXIT_TRIPLE_FAULT, 0, NULL },
	[VMEXIT_VMRUN] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_VMMCALL] = { EXIT_HYPERCALL, LEN, NULL },
	[VMEXIT_VMLOAD] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_VMSAVE] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_STGI] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_CLGI] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_SKINIT] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_ICEBP] = { EXIT_EXCEPTION, 0, decode_icebp },
	[VMEXIT_WBINVD] = { EXIT_WBINVD, LEN, NULL },
	[VMEXIT_MONITOR] = { EXIT_MONITOR, LEN, NULL },
	[VMEXIT_MWAIT] = { EXIT_MWAIT, LEN, NULL },
	[VMEXIT_MWAIT_CONDITIONAL] = { EXIT_MWAIT, LEN, NULL },
	[VMEXIT_XSETBV] = { EXIT_XSETBV, LEN, NULL },
	[VMEXIT_RDPRU] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_INVLPGB] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_INVLPGB_ILLEGAL] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_MCOMMIT] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_TLBSYNC] = { EXIT_UNDEFINED, LEN, NULL },
	[VMEXIT_BUSLOCK] = { EXIT_BUS_LOCK, 0, decode_bus_lock },
};
/* clang-format on */

/* An entry that the CPU refused has flushed nothing, whatever it was asked: the
 * next one flushes all */
static void entry_failed(struct vcpu_hw *v)
{
	struct vcpu_exit *exit = &v->exit;

	exit->kind = EXIT_ENTRY_FAILED;
	v->arch->vmcb->control.tlb_control = TLB_FLUSH_ALL;
	svm_look(v->arch);
}

/*
 * QUIRK(tcg-7.2): a guest that sets a reserved bit of CR4 exits with a 32-bit
 * -1, where a CPU raises #GP in the guest. A refused VMRUN ends the same way,
 * but then the VMCB has the host's registers as the guest's: those must never
 * run.
 */
static void decode_refused(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	struct vcpu_exit *exit = &v->exit;

	if ((vmcb->control.exitintinfo & EVENT_VALID) ||
	    vmcb->save.rip == (u64)svm_enter_vmrun) {
		entry_failed(v);
		return;
	}
	exit->kind = EXIT_EXCEPTION;
	exit->exception = (struct vcpu_event){
		.type = EVENT_EXCEPTION,
		.vector = EXC_GP,
		.has_error = true,
	};
}

void svm_decode_rare(struct vcpu_hw *v, const struct vmcb *vmcb)
{
	struct vcpu_exit *exit = &v->exit;

	svm_step_abort(v);
	exit->kind = EXIT_UNKNOWN;
	exit->insn_len = 0;
	if (exit->raw_reason == VMEXIT_NPF)
		decode_npf(v, vmcb);
	else if (exit->raw_reason == VMEXIT_INVALID_TCG)
		decode_refused(v, vmcb);
	else if (exit->raw_reason == VMEXIT_INVALID)
		entry_failed(v);
}
