/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exit reasons to struct vcpu_exit: a table by basic reason. A row without a
 * decode function is complete with its kind and the instruction length.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/vmx/internal.h"

/* Exit qualifications (SDM 3C tables 28-1 to 28-7) */
#define QUAL_CR_NUMBER(q)  ((u8)((q)&0xf))
#define QUAL_CR_TYPE(q)    (((q) >> 4) & 3)
#define QUAL_CR_GPR(q)     ((u8)(((q) >> 8) & 0xf))
#define QUAL_LMSW_VALUE(q) ((u16)((q) >> 16))
enum { CR_TO, CR_FROM, CR_CLTS, CR_LMSW };
#define QUAL_IO_SIZE(q)       ((u8)(((q)&7) + 1))
#define QUAL_IO_IN            BIT(3)
#define QUAL_IO_STRING        BIT(4)
#define QUAL_IO_PORT(q)       ((u16)((q) >> 16))
#define QUAL_TASK_SELECTOR(q) ((u16)(q))
#define QUAL_TASK_SOURCE(q)   ((u8)(((q) >> 30) & 3))

static void decode_vectoring(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	u32 info = vmread32(VMCS_VECTORING_INFO);

	if (!(info & INTR_VALID))
		return;
	vmx_event_from_info(&exit->vectoring, info,
			    vmread32(VMCS_VECTORING_ERROR),
			    (u8)vmread32(VMCS_EXIT_INSN_LENGTH));
	v->regs.cr2 = read_cr2(); /* a #PF is injected again with it */
}

/* An IRET that had already unblocked NMIs caused the exit. It will run again,
 * so NMIs are blocked again (SDM 3C 28.2.3). */
static void block_nmi_again(struct vcpu_hw *v, const struct vcpu_exit *exit)
{
	if (exit->vectoring.type != EVENT_NONE)
		return;
	v->regs.shadow |= SHADOW_NMI;
	v->regs.dirty |= RG_RIP;
}

/*
 * An intercepted #DB leaves DR6 and DR7 as they were (SDM 3C 28.1), so both are
 * brought up to date here. In DR6, a #DB replaces B0-3 and sets its own cause
 * (SDM 3B 18.2.3). INT1's #DB is no step, even where MOV SS holds a step back.
 * In a shadow, the exit has dropped a pending step that the entry wants again
 * (SDM 3C 27.3.1.5, 28.3.4): storing RG_RIP restores it.
 */
static void finish_debug_exception(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	bool int1 = exit->exception.type == EVENT_PRIV_EXCEPTION;
	u64 causes = exit->info1 & (int1 ? DR6_BREAKPOINTS : DR6_CAUSES);

	write_dr6((read_dr6() & ~DR6_BREAKPOINTS) | causes);
	vmwritenat(VMCS_GUEST_DR7, vmreadnat(VMCS_GUEST_DR7) & ~DR7_GD);
	if (v->regs.after & AFTER_SHADOW)
		v->regs.dirty |= RG_RIP;
}

static void decode_exception(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	u32 info = vmread32(VMCS_EXIT_INTR_INFO);
	u8 len = (u8)vmread32(VMCS_EXIT_INSN_LENGTH);

	exit->info1 = vmreadnat(VMCS_EXIT_QUALIFICATION);
	decode_vectoring(v, exit);
	if (info & INTR_NMI_UNBLOCKED)
		block_nmi_again(v, exit);
	if (INTR_TYPE(info) == INTR_TYPE_NMI) {
		exit->kind = EXIT_NMI;
		/* Through the IDT: only its IRET unblocks NMIs again */
		__asm__ volatile("int $2" : : : "memory", "cc");
		return;
	}
	if (INTR_VECTOR(info) == EXC_MC) {
		exit->kind = EXIT_MACHINE_CHECK;
		return;
	}
	vmx_event_from_info(&exit->exception, info,
			    vmread32(VMCS_EXIT_INTR_ERROR), len);
	if (exit->exception.vector == EXC_DB)
		finish_debug_exception(v, exit);
}

static void decode_extint(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	exit->irq.vector = INTR_VECTOR(vmread32(VMCS_EXIT_INTR_INFO));
	exit->irq.acked = true;
}

/* Guest time is up: what waits is taken through the IDT */
static void decode_timer(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	vmx_timer_expired(v->arch);
	irq_poll();
	exit->irq.acked = false;
}

static void decode_irq_window(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	vmx_set_cpu_controls(v->arch,
			     v->arch->cpu_controls & ~(u32)CPU_INTR_WINDOW);
}

static void decode_nmi_window(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	vmx_set_cpu_controls(v->arch,
			     v->arch->cpu_controls & ~(u32)CPU_NMI_WINDOW);
}

static void decode_tpr(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	v->arch->attention &= ~(u32)ATT_TPR_THRESHOLD;
	vmwrite32(VMCS_TPR_THRESHOLD, 0);
}

static void decode_task_switch(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	u64 q = vmreadnat(VMCS_EXIT_QUALIFICATION);

	exit->task.selector = QUAL_TASK_SELECTOR(q);
	exit->task.source = QUAL_TASK_SOURCE(q);
	exit->task.insn_len = (u8)vmread32(VMCS_EXIT_INSN_LENGTH);
	exit->info1 = q;
	decode_vectoring(v, exit);
}

static void decode_cr(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	u64 q = vmreadnat(VMCS_EXIT_QUALIFICATION);

	exit->cr.cr = QUAL_CR_NUMBER(q);
	exit->cr.gpr = QUAL_CR_GPR(q);
	exit->cr.write = QUAL_CR_TYPE(q) == CR_TO;
	exit->cr.clts = QUAL_CR_TYPE(q) == CR_CLTS;
	exit->cr.lmsw = QUAL_CR_TYPE(q) == CR_LMSW;
	exit->cr.lmsw_value = QUAL_LMSW_VALUE(q);
	exit->info1 = q;
}

static void decode_io(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	u64 q = vmreadnat(VMCS_EXIT_QUALIFICATION);

	exit->port.port = QUAL_IO_PORT(q);
	exit->port.size = QUAL_IO_SIZE(q);
	exit->port.in = q & QUAL_IO_IN;
	exit->port.string = q & QUAL_IO_STRING;
}

static void decode_ept_violation(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	u64 q = vmreadnat(VMCS_EXIT_QUALIFICATION);

	exit->mmio.gpa = GPA(vmread64(VMCS_GUEST_PHYSICAL));
	exit->mmio.access = (u8)(q & EPT_QUAL_ACCESS);
	exit->mmio.walk = !(q & EPT_QUAL_GVA_FINAL);
	v->regs.seg[SEG_CS].base = vmreadnat(VMCS_GUEST_BASE(SEG_CS));
	v->regs.seg[SEG_CS].attr = vmread32(VMCS_GUEST_ACCESS(SEG_CS));
	v->regs.valid |= RG_CS;
	exit->info1 = q;
	decode_vectoring(v, exit);
	if (unlikely(q & EPT_QUAL_NMI_UNBLOCKED))
		block_nmi_again(v, exit);
}

/* An EPT entry we built wrongly; the guest's end dumps the rest */
static void decode_ept_misconfig(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	exit->info1 = vmread64(VMCS_GUEST_PHYSICAL);
}

/* The instruction is over; the event whose delivery took the lock may not be */
static void decode_bus_lock(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	decode_vectoring(v, exit);
}

/* No interrupt could be taken for too long: a loop in microcode, such as a #DB
 * or #AC that its own delivery raises (SDM 3C 28.2) */
static void decode_notify(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	exit->info1 = vmreadnat(VMCS_EXIT_QUALIFICATION);
	exit->stuck.lost = exit->info1 & NOTIFY_QUAL_INVALID;
	decode_vectoring(v, exit);
	if (exit->info1 & NOTIFY_QUAL_NMI_UNBLOCKED)
		block_nmi_again(v, exit);
}

/* clang-format off */
#define ROW(reason, kind, len, decode) [REASON_##reason] = { kind, len, decode }
#define UNDEFINED(reason) ROW(reason, EXIT_UNDEFINED, 0xff, NULL)

/* Reasons of controls that are never set have no row, and so EXIT_UNKNOWN, 0 */
const struct vmx_exit_row vmx_exit_rows[VMX_EXIT_ROWS] = {
	ROW(EXCEPTION_NMI,	EXIT_EXCEPTION,		0,	decode_exception),
	ROW(EXTINT,		EXIT_IRQ,		0,	decode_extint),
	ROW(TRIPLE_FAULT,	EXIT_TRIPLE_FAULT,	0,	NULL),
	ROW(INIT,		EXIT_INIT,		0,	NULL),
	ROW(SIPI,		EXIT_SIPI,		0,	NULL),
	ROW(IO_SMI,		EXIT_SMI,		0,	NULL),
	ROW(SMI,		EXIT_SMI,		0,	NULL),
	ROW(INTR_WINDOW,	EXIT_IRQ_WINDOW,	0,	decode_irq_window),
	ROW(NMI_WINDOW,		EXIT_NMI_WINDOW,	0,	decode_nmi_window),
	ROW(TASK_SWITCH,	EXIT_TASK_SWITCH,	0,	decode_task_switch),
	ROW(CPUID,		EXIT_CPUID,		0xff,	NULL),
	UNDEFINED(GETSEC),
	ROW(HLT,		EXIT_HLT,		0xff,	NULL),
	ROW(INVD,		EXIT_INVD,		0xff,	NULL),
	ROW(RDPMC,		EXIT_RDPMC,		0xff,	NULL),
	UNDEFINED(RSM),
	ROW(VMCALL,		EXIT_HYPERCALL,		0xff,	NULL),
	UNDEFINED(VMCLEAR),	UNDEFINED(VMLAUNCH),	UNDEFINED(VMPTRLD),
	UNDEFINED(VMPTRST),	UNDEFINED(VMREAD),	UNDEFINED(VMRESUME),
	UNDEFINED(VMWRITE),	UNDEFINED(VMXOFF),	UNDEFINED(VMXON),
	ROW(CR,			EXIT_CR,		0xff,	decode_cr),
	ROW(DR,			EXIT_DR,		0,	NULL),
	ROW(IO,			EXIT_PORT,		0xff,	decode_io),
	ROW(RDMSR,		EXIT_RDMSR,		0xff,	NULL),
	ROW(WRMSR,		EXIT_WRMSR,		0xff,	NULL),
	ROW(MWAIT,		EXIT_MWAIT,		0xff,	NULL),
	ROW(MONITOR,		EXIT_MONITOR,		0xff,	NULL),
	ROW(PAUSE,		EXIT_PAUSE,		0xff,	NULL),
	ROW(TPR_BELOW,		EXIT_TPR,		0,	decode_tpr),
	ROW(EPT_VIOLATION,	EXIT_MMIO,		0,	decode_ept_violation),
	ROW(EPT_MISCONFIG,	EXIT_UNKNOWN,		0,	decode_ept_misconfig),
	UNDEFINED(INVEPT),	UNDEFINED(INVVPID),	UNDEFINED(VMFUNC),
	ROW(PREEMPTION_TIMER,	EXIT_IRQ,		0,	decode_timer),
	ROW(WBINVD,		EXIT_WBINVD,		0xff,	NULL),
	ROW(XSETBV,		EXIT_XSETBV,		0xff,	NULL),
	ROW(BUS_LOCK,		EXIT_BUS_LOCK,		0,	decode_bus_lock),
	ROW(NOTIFY,		EXIT_STUCK,		0,	decode_notify),
	UNDEFINED(ENCLS),	UNDEFINED(PCONFIG),	UNDEFINED(LOADIWKEY),
	UNDEFINED(ENCLV),	UNDEFINED(SEAMCALL),	UNDEFINED(TDCALL),
	UNDEFINED(RDMSRLIST),	UNDEFINED(WRMSRLIST),
};
/* clang-format on */

static_assert(EXIT_UNKNOWN == 0, "an absent row");
