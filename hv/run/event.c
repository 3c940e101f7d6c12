/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vCPU must take before its next entry: signals from other cores (NMI,
 * INIT, SIPI, the end of its VM), interrupts, and exceptions queued by exit
 * handlers. All on the home core; other cores only set bits by vcpu_post().
 *
 * Order, as a CPU would (SDM 3A 6.9): a re-injected or queued event, then NMI,
 * then interrupts. One event an entry; what is left opens a window.
 *
 * Over 400 lines: all that a vCPU takes, in one order.
 */
#include "hv/run/event.h"

#include "hv/assign/passthrough.h"
#include "hv/control/control.h"
#include "hv/core/crowd.h"
#include "hv/device/virtio/virtio.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vlapic.h"
#include "hv/irq/vpic.h"
#include "hv/pv/kvm_pv.h"
#include "hv/pv/pvclock.h"
#include "hv/run/dispatch.h"
#include "hv/run/exit.h"
#include "hv/time/vtimer.h"
#include "hv/vm/debug.h"
#include "hv/vm/life.h"
#include "hv/vm/pause.h"
#include "hv/vm/stats.h"
#include "hv/vm/work.h"
#include "include/hw/cpu.h"
#include "include/hw/lapic.h"
#include "lib/log.h"
#include "lib/stack_guard.h"

static u32 priority_class(u32 vector)
{
	return (vector >> 4) & 0xf;
}

/* INIT: the boot vCPU starts at the reset vector, the others wait for SIPI */
static void take_init(struct vcpu *v)
{
	vcpu_ops->vcpu_reset(&v->hw, true);
	if (unlikely(v->debug.on))
		debug_init(v);
	vlapic_reset(v, true);
	v->pending.type = EVENT_NONE;
	v->nmi_waiting = 0;
	/* Addresses of an operating system that is no more */
	pvclock_reset(v);
	kvm_pv_reset(v);
	v->activity = v->id ? VCPU_WAIT_SIPI : VCPU_RUNNING;
}

static void take_sipi(struct vcpu *v)
{
	struct vcpu_regs *r = vcpu_regs(v);

	if (v->activity != VCPU_WAIT_SIPI)
		return; /* SDM 3A 8.4: ignored unless it waits for one */
	vcpu_need(v, RG_RIP | RG_SEG);
	r->seg[SEG_CS].sel = (u16)(v->sipi_vector << 8);
	r->seg[SEG_CS].base = (u64)v->sipi_vector << 12;
	r->rip = 0;
	vcpu_dirty(v, RG_RIP | RG_SEG);
	v->activity = VCPU_RUNNING;
}

/* Out of line, as the 8259 seldom has one */
static __attribute__((noinline)) bool takes_extint(struct vcpu *v)
{
	return vlapic_extint_enabled(v) || vioapic_extint(v->vm, v);
}

static inline bool extint_waits(struct vcpu *v)
{
	return vpic_of(v->vm) && vpic_has_interrupt(v->vm) && takes_extint(v);
}

static inline bool irq_allowed(struct vcpu *v)
{
	const struct vcpu_regs *r = vcpu_regs(v);

	vcpu_need(v, RG_RIP);
	return (r->rflags & RFLAGS_IF) &&
	       !(r->shadow & (SHADOW_STI | SHADOW_MOV_SS));
}

/* A halted vCPU goes on for an NMI, an interrupt it would take, or another's
 * kick: it may have come before the HLT */
static bool ends_halt(struct vcpu *v)
{
	if (v->kicked) {
		v->kicked = false;
		return true;
	}
	if (v->nmi_waiting || v->pending.type != EVENT_NONE)
		return true;
	return irq_allowed(v) && (vlapic_pending(v) >= 0 || extint_waits(v));
}

/* One that sleeps goes on for an interrupt that it does not take yet, too */
static bool ends_sleep(struct vcpu *v)
{
	return ends_halt(v) || vlapic_pending(v) >= 0 || extint_waits(v);
}

static void inject(struct vcpu *v, const struct vcpu_event *event)
{
	vcpu_ops->inject(&v->hw, event);
	v->injected = true;
}

static void request_irq_window(struct vcpu *v, int vector)
{
	vcpu_ops->request_window(&v->hw, WINDOW_IRQ, (u8)vector);
}

static void deliver_nmi(struct vcpu *v)
{
	static const struct vcpu_event nmi = { .type = EVENT_NMI, .vector = 2 };

	if (likely(!v->nmi_waiting))
		return;
	vcpu_need(v, RG_RIP);
	if (v->injected || vcpu_regs(v)->shadow) {
		vcpu_ops->request_window(&v->hw, WINDOW_NMI, 0);
		return;
	}
	v->nmi_waiting--;
	inject(v, &nmi);
	if (v->nmi_waiting)
		vcpu_ops->request_window(&v->hw, WINDOW_NMI, 0);
}

static void inject_irq(struct vcpu *v, u8 vector)
{
	v->delivered =
		(struct vcpu_event){ .type = EVENT_EXTINT, .vector = vector };
	inject(v, &v->delivered);
}

/* The 8259's INTR, past the LAPIC's priorities; true: it had something */
static bool deliver_extint(struct vcpu *v)
{
	int vector;

	if (!extint_waits(v))
		return false;
	if (v->injected || !irq_allowed(v)) {
		request_irq_window(v, 0xff);
		return true;
	}
	vector = vpic_acknowledge(v->vm);
	if (vector < 0)
		return false;
	inject_irq(v, (u8)vector);
	return true;
}

/*
 * What the PPR holds back needs no window when an interrupt in service does it:
 * its EOI posts VE_IRQ. When only the TPR does, the guest may lower it by CR8
 * with no exit, and the window's priority tells the CPU when.
 */
static void wait_for_tpr(struct vcpu *v)
{
	int irr = vlapic_highest_irr(v);
	u32 tpr = v->hw.apic_page[APIC_TPR / 4];

	if (irr >= 0 && priority_class((u32)irr) <= priority_class(tpr))
		request_irq_window(v, irr);
}

static void deliver_irq(struct vcpu *v)
{
	int vector;

	if (deliver_extint(v))
		return;
	vector = vlapic_pending(v);
	if (vector < 0) {
		wait_for_tpr(v);
		return;
	}
	if (v->injected || !irq_allowed(v)) {
		request_irq_window(v, vector);
		return;
	}
	/* Nothing else is left that beats it: what comes posts VE_IRQ */
	inject_irq(v, (u8)vector);
	vlapic_accept(v, (u8)vector);
}

/* One can be in service and one latched behind it (SDM 3A 6.7.1 *Handling
 * Multiple NMIs*): the first of two that come together begins its service */
static void take_nmis(struct vcpu *v, u32 count)
{
	u32 most;

	vcpu_need(v, RG_RIP);
	most = v->injected || vcpu_regs(v)->shadow & SHADOW_NMI ? 1 : 2;
	v->nmi_waiting = (u8)MIN(v->nmi_waiting + count, most);
}

/* What exit handlers have queued. False: it was the end of the guest. */
static bool take_pending(struct vcpu *v)
{
	struct vcpu_event event = v->pending;

	if (event.type == EVENT_SHUTDOWN) {
		v->pending.type = EVENT_NONE;
		exit_shutdown(v);
		return false;
	}
	if (!v->injected) {
		inject(v, &event);
		v->pending.type = EVENT_NONE;
	}
	return true;
}

/* Signals that were taken too early, as though they never were: of two NMIs
 * none is lost, and an INIT that has come since makes the start-up IPI void */
static void put_back(struct vcpu *v, u32 taken)
{
	u32 now = READ_ONCE(v->events), next;

	do {
		next = now | taken;
		if (now & taken & VE_NMI)
			next |= VE_NMI_AGAIN;
		if (now & VE_INIT)
			next = (next & ~(u32)VE_SIPI) | (now & VE_SIPI);
	} while (!__atomic_compare_exchange_n(&v->events, &now, next, true,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
}

/* The next piece of the last exit's instruction; true: it is over */
static bool insn_go_on(struct vcpu *v)
{
	enum verdict verdict;
	bool over;

	if (!vlapic_insn_go_on(v) || !crowd_enter(v->vm))
		return false;
	over = passthrough_insn_go_on(v) && emulate_go_on(v, &verdict);
	crowd_leave(v->vm);
	if (!over)
		return false;
	if (verdict == VERDICT_ADVANCE)
		exit_advance(v);
	else if (verdict >= VERDICT_BLOCK)
		exit_give_way(v, verdict);
	return true;
}

/* A piece of what goes before all other signals: the rest of an instruction, or
 * what devices send to many. True: there was a piece to do. */
static __attribute__((noinline)) bool go_on(struct vcpu *v, u32 events)
{
	u32 done;

	if (events & VE_INSN)
		done = insn_go_on(v) ? VE_INSN : 0;
	else if (events & VE_LATE && v->activity != VCPU_WORKING)
		done = vlapic_late_go_on(v) ? VE_LATE : 0;
	else
		return false;
	put_back(v, events & ~(done | VE_REPORT | VE_START));
	return true;
}

/* Of an isolated guest's virtio devices, which are the vCPU's own work */
static void virtio_serves(struct vcpu *v)
{
	if (!crowd_enter(v->vm)) {
		put_back(v, VE_VIRTIO);
		return;
	}
	virtio_go_on(v);
	crowd_leave(v->vm);
}

/* Devices that have more to do, with no instruction that waits for it */
static void devices_go_on(struct vcpu *v, u32 events)
{
	if (!crowd_enter(v->vm)) {
		put_back(v, events & (VE_ASSIGN | VE_CONTROL));
		return;
	}
	if (events & VE_ASSIGN)
		passthrough_go_on(v);
	if (events & VE_CONTROL)
		control_go_on(v);
	crowd_leave(v->vm);
}

/* No code of the guest runs, or will before it starts anew: nobody is told. No
 * source stays queued, as it may be another guest's next. */
static void forget_late(struct vcpu *v)
{
	if (v->activity == VCPU_PARKED || v->activity == VCPU_WORKING)
		vlapic_late_forget(v);
}

/* Before all else: whoever waits for it sees the bit gone, and goes by that.
 * Returns what else there is. */
static u32 take_flush(struct vcpu *v, u32 events)
{
	if (events & VE_FLUSH)
		vcpu_flush(v);
	return events & ~(u32)VE_FLUSH;
}

/* What is done for the guest, such as scrubbing, is not held to its cap: others
 * wait for that, too */
static void start(struct vcpu *v)
{
	v->activity = v->id ? VCPU_WAIT_SIPI : VCPU_WORKING;
	sched_spare(&v->entity, !v->id);
}

/* False: it stays off the core */
static bool take_signals(struct vcpu *v, u32 events)
{
	events = take_flush(v, events);
	if (events & VE_REPORT)
		vcpu_report(v);
	if (events & VE_START)
		start(v);
	if (events & VE_LATE)
		forget_late(v);
	if ((events & VE_PAUSE) && !(events & VE_STOP))
		pause_take(v);
	/* Others of its VM still run and may send it INIT: it stays parked */
	if (v->activity == VCPU_PARKED) {
		vcpu_block(v);
		return false;
	}
	if (events & VE_STOP) {
		vm_vcpu_parked(v);
		return false;
	}
	if (v->activity == VCPU_PAUSED) {
		/* VE_DEBUG: it stands already */
		put_back(v, events & ~(u32)(VE_PAUSE | VE_DEBUG | VE_REPORT |
					    VE_START));
		pause_wait(v);
		return false;
	}
	if (events & VE_DEBUG) {
		put_back(v, events & ~(u32)(VE_DEBUG | VE_REPORT | VE_START));
		debug_take(v);
		return false;
	}
	/* It came first: no INIT undoes it */
	if (v->pending.type == EVENT_SHUTDOWN)
		return take_pending(v);
	if (events & (VE_INSN | VE_LATE) && go_on(v, events))
		return false;
	if (events & VE_VTIMER)
		vtimer_follow(v->vm);
	if (events & (VE_ASSIGN | VE_CONTROL))
		devices_go_on(v, events);
	/* No code of the guest runs: for what comes now it is too early, or too
	 * late */
	if (v->activity == VCPU_WORKING)
		return true;
	if (events & VE_VIRTIO)
		virtio_serves(v);
	if (events & VE_CLOCK)
		pvclock_update(v);
	if (events & VE_INIT)
		take_init(v);
	if (events & VE_SIPI)
		take_sipi(v);
	if (events & (VE_NMI | VE_NMI_AGAIN))
		take_nmis(v, (events & VE_NMI ? 1u : 0) +
				     (events & VE_NMI_AGAIN ? 1u : 0));
	if (events & VE_KICK)
		v->kicked = true;
	return true;
}

/* Everything but RUNNING; true: it may go on */
static bool leave_inactive(struct vcpu *v)
{
	switch (v->activity) {
	case VCPU_HALTED:
		if (ends_halt(v)) {
			v->activity = VCPU_RUNNING;
			return true;
		}
		break;
	case VCPU_SLEEPS:
		if (ends_sleep(v)) {
			v->activity = VCPU_RUNNING;
			return true;
		}
		break;
	case VCPU_WORKING:
		return vm_work_step(v);
	default:
		break;
	}
	vcpu_block(v);
	return false;
}

__no_stack_guard bool vcpu_prepare(struct vcpu *v)
{
	u32 events = __atomic_exchange_n(&v->events, 0, __ATOMIC_SEQ_CST);
	bool was_inactive;

	if (unlikely(events & ~(u32)VE_IRQ) && !take_signals(v, events))
		return false;
	was_inactive = v->activity != VCPU_RUNNING;
	if (was_inactive && !leave_inactive(v))
		return false;
	if (unlikely(v->pending.type != EVENT_NONE) && !take_pending(v))
		return false;
	if (unlikely(v->debug.stepping) && debug_withholds(v))
		return true;
	deliver_nmi(v);
	if ((events & VE_IRQ) || was_inactive)
		deliver_irq(v);
	return true;
}

void vcpu_irq_window_open(struct vcpu *v)
{
	vcpu_post(v, VE_IRQ);
}

void vcpu_nmi_window_open(struct vcpu *v)
{
	if (!v->nmi_waiting)
		return;
	v->nmi_waiting--; /* taken again */
	vcpu_post(v, VE_NMI);
}
