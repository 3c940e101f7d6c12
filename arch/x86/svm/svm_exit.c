// SPDX-License-Identifier: BSD-2-Clause
/*
 * #VMEXIT codes (APM 2 appendix C) to struct vcpu_exit: a table by exit code;
 * an absent row is EXIT_UNKNOWN and kills the guest. Hot: no lock, nothing
 * shared.
 */
#include "arch/x86/cpu/cpuid_regs.h"
#include "arch/x86/svm/svm.h"

/* Returns false to enter again with nothing for the core */
typedef bool (*fill_fn)(struct vcpu_hw *v, struct vcpu_exit *exit);

static bool fill_port(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	const struct vmcb *vmcb = v->arch->vmcb;
	u32 info = (u32)exit->info1;

	exit->insn_len = (u8)(exit->info2 - vmcb->save.rip);
	exit->port.port = (u16)(info >> IOIO_PORT_SHIFT);
	exit->port.size = info >> IOIO_SIZE_SHIFT & 7;
	exit->port.in = info & IOIO_IN;
	exit->port.string = info & IOIO_STR;
	exit->port.rep = info & IOIO_REP;
	exit->port.seg =
		svm_has_decode ? info >> IOIO_SEG_SHIFT & 7 : SEG_COUNT;
	exit->port.addr_size = (u8)(info >> IOIO_ADDR_SHIFT & 7) * 2;
	return true;
}

static bool fill_msr(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	(void)v;
	exit->kind = exit->info1 & 1 ? EXIT_WRMSR : EXIT_RDMSR;
	return true;
}

static bool fill_npf(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	u64 error = exit->info1;

	(void)v;
	exit->kind = EXIT_MMIO;
	exit->mmio.gpa = GPA(exit->info2);
	exit->mmio.gva_valid = false;
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

static bool fill_exception(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	u8 vector = (u8)(exit->raw_reason - VMEXIT_EXCP0);

	if (exit->raw_reason == VMEXIT_EXCP_DB && svm_step_exit(v))
		return nmi_window_exit(v, exit);
	exit->exception = (struct vcpu_event){
		.type = EVENT_EXCEPTION,
		.vector = vector,
		.has_error = EXC_HAS_ERROR_MASK >> vector & 1,
		.error = (u32)exit->info1,
	};
	return true;
}

static bool fill_irq(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	exit->irq.acked = false;
	if (unlikely(svm_nmi_window_open(v->arch)))
		return nmi_window_exit(v, exit);
	return true;
}

/* The NMI, or the SMI, waits for GIF: take it now, through the IDT or SMM.
 * There is nothing left of it for the core. */
static bool fill_nmi(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	(void)v;
	(void)exit;
	svm_unload(this_cpu());
	return false;
}

static bool fill_irq_window(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	(void)exit;
	svm_close_window(v);
	return true;
}

static bool fill_iret(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	(void)exit;
	svm_iret_exit(v);
	return false;
}

/* Not every implementation intercepts XSETBV (QEMU's TCG does not): where the
 * answer depends on XCR0, the register itself says what the guest has set */
static bool fill_cpuid(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	(void)exit;
	if (unlikely((u32)v->regs.gpr[GPR_RAX] == CPUID_XSAVE))
		svm_xcr0_sync(v);
	return true;
}

/* Without decode assists the dispatcher decodes register and length */
static bool fill_cr8(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	const struct vmcb *vmcb = v->arch->vmcb;

	svm_close_window(v);
	exit->cr.cr = 8;
	exit->cr.write = true;
	exit->cr.lmsw = false;
	exit->cr.clts = false;
	exit->cr.gpr = GPR_COUNT;
	if (svm_has_decode && svm_has_nrips && (exit->info1 & CRX_VALID)) {
		exit->cr.gpr = (u8)(exit->info1 & CRX_GPR);
		exit->insn_len = (u8)(vmcb->control.nrip - vmcb->save.rip);
	}
	return true;
}

/* clang-format off */
static const struct exit_code_row {
	u8 kind; /* enum exit_kind */
	bool insn; /* nRIP says where the next instruction is */
	fill_fn fill;
} rows[VMEXIT_TABLE_SIZE] = {
	[VMEXIT_CR8_WRITE] = { EXIT_CR, false, fill_cr8 },
	[VMEXIT_EXCP_DB] = { EXIT_EXCEPTION, false, fill_exception },
	[VMEXIT_EXCP_AC] = { EXIT_EXCEPTION, false, fill_exception },
	[VMEXIT_EXCP_MC] = { EXIT_MACHINE_CHECK, false, NULL },
	[VMEXIT_INTR] = { EXIT_IRQ, false, fill_irq },
	[VMEXIT_NMI] = { EXIT_NMI, false, fill_nmi },
	[VMEXIT_SMI] = { EXIT_SMI, false, fill_nmi },
	[VMEXIT_INIT] = { EXIT_INIT, false, NULL },
	[VMEXIT_VINTR] = { EXIT_IRQ_WINDOW, false, fill_irq_window },
	[VMEXIT_RDPMC] = { EXIT_RDPMC, true, NULL },
	[VMEXIT_CPUID] = { EXIT_CPUID, true, fill_cpuid },
	[VMEXIT_RSM] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_IRET] = { EXIT_UNKNOWN, false, fill_iret },
	[VMEXIT_INVD] = { EXIT_INVD, true, NULL },
	[VMEXIT_PAUSE] = { EXIT_PAUSE, true, NULL },
	[VMEXIT_HLT] = { EXIT_HLT, true, NULL },
	[VMEXIT_INVLPGA] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_IOIO] = { EXIT_PORT, false, fill_port },
	[VMEXIT_MSR] = { EXIT_RDMSR, true, fill_msr },
	[VMEXIT_SHUTDOWN] = { EXIT_TRIPLE_FAULT, false, NULL },
	[VMEXIT_VMRUN] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_VMMCALL] = { EXIT_HYPERCALL, true, NULL },
	[VMEXIT_VMLOAD] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_VMSAVE] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_STGI] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_CLGI] = { EXIT_UNDEFINED, true, NULL },
	[VMEXIT_SKINIT] = { EXIT_UNDEFINED, true, NULL },
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
};
/* clang-format on */

static bool fill_rare(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	if (exit->raw_reason == VMEXIT_NPF)
		return fill_npf(v, exit);
	exit->kind = exit->raw_reason == VMEXIT_INVALID ? EXIT_ENTRY_FAILED
							: EXIT_UNKNOWN;
	return true;
}

bool svm_exit_fill(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	const struct vmcb *vmcb = v->arch->vmcb;
	const struct exit_code_row *row;
	u64 code = vmcb->control.exitcode;

	exit->raw_reason = code;
	exit->info1 = vmcb->control.exitinfo1;
	exit->info2 = vmcb->control.exitinfo2;
	exit->insn_len = 0;
	exit->vectoring.type = EVENT_NONE;
	if (unlikely(vmcb->control.exitintinfo & EVENT_VALID))
		exit->vectoring = svm_event_decode(vmcb->control.exitintinfo);
	if (unlikely(code >= ARRAY_SIZE(rows)))
		return fill_rare(v, exit);
	row = &rows[code];
	exit->kind = row->kind;
	if (row->insn && svm_has_nrips)
		exit->insn_len = (u8)(vmcb->control.nrip - vmcb->save.rip);
	return !row->fill || row->fill(v, exit);
}
