/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events into the guest: EVENTINJ and the two windows (APM 2 15.20 *Event
 * Injection*, 15.21 *Interrupt and Local APIC Support*). The interrupt window
 * is opened by a virtual interrupt that never arrives (V_IRQ with the VINTR
 * intercept) or by CR8. The NMI window is opened by the IRET intercept and one
 * step. Runs on the core that has the vCPU.
 */
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/svm/internal.h"
#include "include/hw/cpu.h"
#include "include/hw/lapic.h"

static const u8 type_to_hw[] = {
	[EVENT_EXTINT] = EVENT_TYPE_INTR,
	[EVENT_NMI] = EVENT_TYPE_NMI,
	[EVENT_EXCEPTION] = EVENT_TYPE_EXCEPTION,
	[EVENT_SOFT_INT] = EVENT_TYPE_SOFT,
	[EVENT_SOFT_EXCEPTION] = EVENT_TYPE_EXCEPTION,
	[EVENT_PRIV_EXCEPTION] = EVENT_TYPE_EXCEPTION,
};

/* Software interrupts come to nothing: see svm_event_from_info() */
static const u8 type_from_hw[8] = {
	[EVENT_TYPE_INTR] = EVENT_EXTINT,
	[EVENT_TYPE_NMI] = EVENT_NMI,
	[EVENT_TYPE_EXCEPTION] = EVENT_EXCEPTION,
};

static bool is_software(enum event_type type)
{
	return type == EVENT_SOFT_INT || type == EVENT_SOFT_EXCEPTION ||
	       type == EVENT_PRIV_EXCEPTION;
}

static void set_intercept1(struct vcpu_arch *a, u32 bits, bool on)
{
	struct vmcb_control *c = &a->vmcb->control;

	c->intercept1 = on ? c->intercept1 | bits : c->intercept1 & ~bits;
	svm_unclean(a, CLEAN_I);
}

void svm_set_cr2(struct vcpu_hw *v, u64 cr2)
{
	v->regs.cr2 = cr2;
	v->arch->vmcb->save.cr2 = cr2;
	svm_unclean(v->arch, CLEAN_CR2);
}

/* The handler of a #DB may use the debug registers (APM 2 13.1.1.4) */
static void end_general_detect(struct vcpu_hw *v)
{
	v->regs.dr[7] &= ~DR7_GD;
	v->arch->vmcb->save.dr7 &= ~DR7_GD;
	svm_unclean(v->arch, CLEAN_DRX);
}

/* An event's handler is past the instruction that cast the shadow */
static void end_shadow(struct vcpu_hw *v)
{
	if (!(v->regs.after & AFTER_SHADOW))
		return;
	v->regs.shadow &= (u8)~AFTER_SHADOW;
	v->regs.dirty |= RG_RIP;
}

/*
 * QUIRK(tcg-7.2): VMRUN leaves the vector of an interrupt that it injects in
 * the emulator's exception_index. When the emulator looks up from the guest
 * before the next #VMEXIT, it delivers the vector once more, with RFLAGS.IF set
 * or clear: into a handler that holds a lock, for example. A software interrupt
 * comes once, but the gate's DPL must allow it, which CPL 0 always does; a bit
 * that the emulator keeps and does not read tells it from the guest's own. At
 * any other CPL a physical interrupt to ourselves brings a #VMEXIT before the
 * guest's first instruction.
 */
static u64 type_injected_once(const struct vcpu_hw *v)
{
	if (!(v->regs.dirty & RG_SEG) && !v->arch->vmcb->save.cpl)
		return EVENT_TYPE_SOFT << EVENT_TYPE_SHIFT | EVENT_WAS_INTR;
	lapic_send_ipi(this_cpu()->apic_id, VEC_KICK);
	return EVENT_TYPE_INTR << EVENT_TYPE_SHIFT;
}

/* The return address of a software event is the VMCB's RIP */
static void inject_exception(struct vcpu_hw *v, const struct vcpu_event *event)
{
	if (is_software(event->type)) {
		v->regs.rip += event->insn_len;
		v->regs.dirty |= RG_RIP;
	}
	if (event->vector == EXC_DB)
		end_general_detect(v);
	else if (event->vector == EXC_PF)
		svm_set_cr2(v, v->regs.cr2);
}

static void inject_nmi(struct vcpu_hw *v)
{
	v->arch->nmi_shadow = SHADOW_NMI;
	svm_look(v->arch);
	v->regs.shadow |= SHADOW_NMI;
	set_intercept1(v->arch, I1_IRET, true);
}

static u64 hw_type(const struct vcpu_hw *v, enum event_type type)
{
	if (svm_caps.tcg && type == EVENT_EXTINT)
		return type_injected_once(v);
	return (u64)type_to_hw[type] << EVENT_TYPE_SHIFT;
}

static __attribute__((noinline)) void
inject_other(struct vcpu_hw *v, const struct vcpu_event *event)
{
	u64 inj = EVENT_VALID | event->vector;

	if (event->type == EVENT_NONE) {
		v->arch->vmcb->control.eventinj = 0;
		return;
	}
	svm_step_abort(v);
	if (event->has_error)
		inj |= EVENT_ERROR_VALID | (u64)event->error << 32;
	v->arch->vmcb->control.eventinj = inj | hw_type(v, event->type);
	if (event->type == EVENT_NMI)
		inject_nmi(v);
	else if (event->type != EVENT_EXTINT)
		inject_exception(v, event);
	end_shadow(v);
}

void svm_inject(struct vcpu_hw *v, const struct vcpu_event *event)
{
	struct vcpu_arch *a = v->arch;

	if (unlikely(event->type != EVENT_EXTINT) || unlikely(a->nmi_step) ||
	    unlikely(svm_caps.tcg)) {
		inject_other(v, event);
		return;
	}
	a->vmcb->control.eventinj = EVENT_VALID | event->vector;
	end_shadow(v);
}
static_assert(EVENT_TYPE_INTR == 0, "as svm_inject() has it");

/*
 * A software interrupt, INT3 or INTO whose delivery an exit interrupted is not
 * injected again: RIP is still at the instruction, which will run again.
 */
void svm_event_from_info(struct vcpu_event *event, u64 info)
{
	u8 type = type_from_hw[(info & EVENT_TYPE_MASK) >> EVENT_TYPE_SHIFT];
	u8 vector = (u8)info;
	bool again = type == EVENT_EXCEPTION &&
		     (vector == EXC_BP || vector == EXC_OF);

	if (svm_caps.tcg && (info & EVENT_WAS_INTR))
		type = EVENT_EXTINT;
	*event = (struct vcpu_event){
		.type = info & EVENT_VALID && !again ? type : EVENT_NONE,
		.vector = vector,
		.has_error = info & EVENT_ERROR_VALID,
		.error = (u32)(info >> 32),
	};
}

/*
 * With no NMI handler running, only a shadow or another event's injection keeps
 * an NMI out. A physical interrupt to ourselves then makes the guest exit right
 * behind it (svm_request_window()), and the exit asks this.
 */
bool svm_nmi_window_open(const struct vcpu_arch *a)
{
	return a->nmi_window && !a->nmi_shadow &&
	       !(a->vmcb->control.interrupt_shadow & INTERRUPT_SHADOW);
}

static void set_window(struct vcpu_arch *a, bool virq, bool cr8)
{
	struct vmcb_control *c = &a->vmcb->control;

	c->vintr &= ~(VINTR_IRQ | VINTR_PRIO | VINTR_IGN_TPR);
	c->intercept1 &= ~(u32)I1_VINTR;
	c->intercept_cr &= ~(u32)CR8_WRITE;
	a->attention &= ~(u32)ATT_WINDOW;
	if (virq) {
		a->attention |= ATT_WINDOW;
		svm_look(a);
		c->vintr |= VINTR_IRQ | VINTR_PRIO | VINTR_IGN_TPR;
		c->intercept1 |= I1_VINTR;
	}
	if (cr8)
		c->intercept_cr |= CR8_WRITE;
	svm_unclean(a, CLEAN_TPR | CLEAN_I);
}

/*
 * An interrupt that the TPR alone holds back waits for the guest's next write
 * of CR8, which exits. One that RFLAGS.IF or a shadow holds back waits behind a
 * virtual interrupt that ignores the TPR and exits when it can be taken.
 * QUIRK(tcg-7.2): it aborts when CR8 is written while V_IRQ is set, so writes
 * of CR8 are intercepted in that case too.
 * QUIRK(bochs-2.7): a virtual interrupt that could be taken as the guest is
 * entered never is, until the guest changes RFLAGS.IF: see window_is_open().
 */
void svm_request_window(struct vcpu_hw *v, enum window which, u8 vector)
{
	struct vcpu_arch *a = v->arch;
	u32 tpr = v->apic_page[APIC_TPR / sizeof(u32)];

	if (which == WINDOW_NMI) {
		a->nmi_window = true;
		if (!a->nmi_shadow)
			lapic_send_ipi(this_cpu()->apic_id, VEC_KICK);
		return;
	}
	set_window(a, vector >> 4 > tpr >> 4, true);
}

/*
 * QUIRK(tcg-7.2): VMRUN with V_IRQ set writes the emulator's word of waiting
 * interrupts without its lock. A physical interrupt that comes in this moment
 * stays in the LAPIC's IRR and is not delivered.
 */
void svm_exit_vintr(struct vcpu_hw *v, u32 vintr)
{
	u32 *tpr = &v->apic_page[APIC_TPR / sizeof(u32)];
	u32 class = vintr & VINTR_TPR_CLASS;

	if (class != *tpr >> TPR_CLASS_SHIFT)
		*tpr = class << TPR_CLASS_SHIFT;
	if (svm_caps.tcg && (vintr & VINTR_IRQ))
		lapic_offer_again();
}

void svm_close_window(struct vcpu_hw *v)
{
	set_window(v->arch, false, false);
}

/*
 * The IRET that ends an NMI handler is about to run. NMIs stay masked until it
 * has, so it is stepped over. IRET replaces RFLAGS, but the trap comes
 * because TF was set when it began. If IRET faults, the handler must not see
 * our TF in the flags it gets: so every exception exits meanwhile.
 */
void svm_step_begin(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	set_intercept1(a, I1_IRET, false);
	a->vmcb->control.intercept_exceptions = ~0u;
	a->nmi_step = true;
	a->step_dr6 = a->vmcb->save.dr6;
	a->step_tf = v->regs.rflags & RFLAGS_TF;
	v->regs.rflags |= RFLAGS_TF;
	v->regs.dirty |= RG_RIP;
}

static void step_end(struct vcpu_arch *a)
{
	a->nmi_step = false;
	a->vmcb->control.intercept_exceptions = EXCEPTIONS;
	svm_unclean(a, CLEAN_I | CLEAN_DRX);
}

void svm_nmi_unblock(struct vcpu_arch *a)
{
	a->nmi_shadow = 0;
	set_intercept1(a, I1_IRET, false);
	if (a->nmi_window)
		lapic_send_ipi(this_cpu()->apic_id, VEC_KICK);
}

/* The trap is also the guest's own if it was single-stepping or met a
 * breakpoint. It is then delivered, and an interrupt to ourselves opens the NMI
 * window behind it. */
bool svm_step_exit(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;
	struct vmcb_save *s = &a->vmcb->save;

	if (!a->nmi_step)
		return false;
	step_end(a);
	v->regs.shadow &= (u8)~SHADOW_NMI;
	if (!a->step_tf)
		s->dr6 = (s->dr6 & ~DR6_BS) | (a->step_dr6 & DR6_BS);
	if (a->step_tf || (s->dr6 & ~a->step_dr6 & DR6_BREAKPOINTS)) {
		svm_nmi_unblock(a);
		return false;
	}
	a->nmi_shadow = 0;
	return true;
}

void svm_step_undo(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	step_end(a);
	set_intercept1(a, I1_IRET, true);
	if (a->step_tf)
		return;
	v->regs.rflags &= ~RFLAGS_TF;
	v->regs.dirty |= RG_RIP;
}
