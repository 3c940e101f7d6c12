/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual local APIC, complete in software: xAPIC page and x2APIC MSRs,
 * timer (one-shot, periodic, TSC-deadline), ICR with every delivery mode (SDM
 * 3A 11). Registers live in a page of hardware layout (hw.apic_page). Called by
 * the run loop, by exits, and by whatever sends interrupts to the vCPU.
 *
 * There are no locks. A function is for the home core of the vCPU it is given,
 * unless its comment says "any core".
 */
#ifndef HV_IRQ_VLAPIC_H
#define HV_IRQ_VLAPIC_H

#include "hv/core/pc_map.h"
#include "hv/core/vcpu.h"
#include "include/hw/msr.h"

enum trigger { TRIGGER_EDGE, TRIGGER_LEVEL };

/* One message on the virtual APIC bus */
struct vlapic_msg {
	u32 dest; /* an APIC id or, if @logical, a set */
	bool logical;
	bool wide; /* dest has more than 8 bits, and FFh is one vCPU */
	u8 mode;   /* enum apic_delivery */
	u8 vector;
	u8 trigger; /* enum trigger */
};

/*
 * A device's messages while they wait, because they are for many: one for each
 * source of interrupts, which outlives its VM's last run. Zero but for nobody
 * at first. What the source sends meanwhile takes the place of what waits.
 */
struct vlapic_late {
	struct vlapic_late *next;
	u32 queued;  /* atomic */
	u64 message; /* atomic */
	/* Nobody took the message, and no other waits; NULL: no matter. The
	 * home core of vCPU 0, no lock held. */
	void (*nobody)(struct vlapic_late *self, struct vm *vm);
};

/* While the vCPU is made and unmade: it does not run. vlapic_create() leaves it
 * in power-on state, charged to the VM's budget; -ENOMEM. vlapic_destroy() may
 * be called for a vCPU without one. */
int __must_check vlapic_create(struct vcpu *v);
void vlapic_destroy(struct vcpu *v);
/* The state after power-up or reset, or (@init) after INIT, which leaves
 * IA32_APIC_BASE as it is (SDM 3A 11.4.7 *Local APIC State*). Requests and the
 * timer are gone, paravirtual EOI is off. */
void vlapic_reset(struct vcpu *v, bool init);
/* @v has its core again: a periodic timer that rested meanwhile goes on. Before
 * its next entry. */
void vlapic_taken(struct vcpu *v);
/* @v stands, and its timer's clock does, too. It goes on, and the clock with
 * it, which has stood for @ticks: what was left is left still. */
void vlapic_stand(struct vcpu *v);
void vlapic_go_on(struct vcpu *v, u64 ticks);
/* Request @vector (16 to 255) and wake the vCPU. Any core, any context. While
 * the APIC is disabled, by hardware or software, the request is dropped. */
void vlapic_post(struct vcpu *v, u8 vector, enum trigger trigger);
/* vlapic_pending(): the vector to deliver now, which is the highest requested
 * one if its class is above the PPR's (SDM 3A 11.8.3.1 *Task and Processor
 * Priorities*). vlapic_highest_irr(): the highest requested one whatever the
 * PPR, for a TPR window. -1: none. Both take posted requests into the IRR. */
int vlapic_pending(struct vcpu *v);
int vlapic_highest_irr(struct vcpu *v);
/* True while @vector is requested and not taken into service. Any core; the
 * answer may be a moment old. */
bool vlapic_requested(const struct vcpu *v, u8 vector);
/* @vector, just returned by vlapic_pending(), is delivered by the next entry:
 * it moves from the IRR to the ISR (SDM 3A 11.8.4 *Interrupt Acceptance for
 * Fixed Interrupts*) */
void vlapic_accept(struct vcpu *v, u8 vector);
/* RDMSR and WRMSR of @msr, 800h to 8FFh (SDM 3A 11.12.1.2 *x2APIC Register
 * Address Space*). -EINVAL is a #GP: not in x2APIC mode, no such register, or
 * reserved bits. Nothing has changed then. */
int __must_check vlapic_msr_read(struct vcpu *v, u32 msr, u64 *value);
int __must_check vlapic_msr_write(struct vcpu *v, u32 msr, u64 value);
/* WRMSR of IA32_APIC_BASE. -EINVAL is a #GP: reserved bits, a change of mode
 * that does not exist (SDM 3A 11.12.5 *x2APIC State Transitions*), or a page in
 * use. RAM and devices are in use; the privileged guest cannot move it. */
int __must_check vlapic_base_write(struct vcpu *v, u64 value);
/* IA32_TSC_DEADLINE in guest TSC; 0: not armed. A write is ignored unless the
 * timer is in this mode (SDM 3A 11.5.4.1 *TSC-Deadline Mode*). */
u64 vlapic_deadline_read(struct vcpu *v);
void vlapic_deadline_write(struct vcpu *v, u64 value);
/* Handlers of the MMIO bus for the page at FEE00000h: @offset in the page,
 * @size in bytes, @dev unused, as @v has its own registers there. Page off or
 * in x2APIC mode: reads are ones, writes are lost (SDM 3A 11.4.1 *The Local
 * APIC Block Diagram*). */
u64 vlapic_mmio_read(struct vcpu *v, void *dev, u64 offset, u8 size);
void vlapic_mmio_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value);
/* Where on the MMIO bus what @v finds at @gpa is. IA32_APIC_BASE moves the page
 * of this vCPU alone; where the page was, @v finds nothing. */
static inline u64 vlapic_bus_gpa(const struct vcpu *v, u64 gpa)
{
	u64 page = v->apic_base_msr & APIC_BASE_ADDR;

	if (likely(page == PC_LAPIC_BASE) || !(v->apic_base_msr & APIC_BASE_EN))
		return gpa; /* while it is off, the handlers answer nothing */
	if (gpa - page < PAGE_SIZE)
		return gpa - page + PC_LAPIC_BASE;
	/* The page behind it is on the bus, too, and answers nothing */
	return gpa - PC_LAPIC_BASE < PAGE_SIZE ? gpa + PAGE_SIZE : gpa;
}
/*
 * Deliver an interrupt message as devices and IOAPICs send it (SDM 3A 11.6.2
 * *Determining IPI Destination*, 11.11 *Message Signalled Interrupts*); @m's
 * wide is not looked at. Returns how many vCPUs took it. One for more than
 * VLAPIC_AT_ONCE vCPUs waits in @late, and vCPU 0 sends it in pieces: it is
 * VLAPIC_WAITS then. Any core, any context.
 */
#define VLAPIC_AT_ONCE 32u
#define VLAPIC_WAITS   (~0u)
u32 vlapic_deliver(struct vm *vm, const struct vlapic_msg *m,
		   struct vlapic_late *late);
/* VE_LATE: a piece of what devices send to many; true: there is nothing more.
 * And: what waits is forgotten, as the VM has ended or starts anew: no source
 * is in the queue any more. vCPU 0. */
bool vlapic_late_go_on(struct vcpu *v);
void vlapic_late_forget(struct vcpu *v);
/* Where a message with this destination would arrive. vlapic_match() returns
 * how many vCPUs it reaches, *@first is that with the lowest id or NULL.
 * vlapic_target() is *@first alone: the vCPU whose core a physical interrupt
 * should be aimed at. Any core; a guest may change it at any time. */
struct vcpu *vlapic_target(struct vm *vm, u32 dest, bool logical);
u32 vlapic_match(struct vm *vm, u32 dest, bool logical, struct vcpu **first);
/* Paravirtual IPIs (hv/pv/kvm_hypercall.c). vlapic_icr_is_plain(): @icr, the
 * low half of an ICR, has fixed or NMI mode, and neither a logical destination
 * nor a shorthand. vlapic_send_set() sends such an @icr to vCPUs @first + i for
 * each bit i of @set, and returns how many took it: vLAPICs that are disabled
 * do not, and nobody takes a vector below 16. What cannot be sent at once is
 * sent before the guest goes on, and added to its RAX. */
bool vlapic_icr_is_plain(u32 icr);
u32 vlapic_send_set(struct vcpu *v, const u64 set[2], u32 first, u32 icr);
/* vioapic_eoi() for the pins from @first on to below @end, by an EOI of @v's or
 * its write to an IOAPIC's EOI register. What is not done at once is done
 * before the guest goes on. */
void vlapic_eoi_pins(struct vcpu *v, u8 vector, u32 first, u32 end);
/* VE_INSN: a piece of what an ICR write, vlapic_send_set() or an EOI has begun.
 * True: all is done. */
bool vlapic_insn_go_on(struct vcpu *v);
/* Turn paravirtual EOI on or off (KVM PV, MSR_KVM_EOI_EN). While it is on,
 * the guest may end an interrupt by clearing bit 0 at @gpa if it finds it set.
 * -EINVAL: @gpa is not RAM or not aligned to 4; nothing has changed. */
int __must_check vlapic_pv_eoi_set(struct vcpu *v, bool on, gpa_t gpa);
/* The board's NMI comes to LINT1 of @v. False: its software has masked it, or
 * wants no NMI from there (SDM 3A 11.5.1 *Local Vector Table*). Any core. */
bool vlapic_lint1_nmi(struct vcpu *v);
/* True if the 8259's INTR reaches @v through its LINT0: ExtINT, not masked, or
 * the APIC of vCPU 0 is switched off (SDM 3A 11.5.1 *Local Vector Table*) */
bool vlapic_extint_enabled(struct vcpu *v);
/* Log the registers, for a dump of the vCPU; changes nothing */
void vlapic_dump(struct vcpu *v);

#endif
