/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual local APIC, complete in software: xAPIC page and x2APIC MSRs,
 * timer (one-shot, periodic, TSC-deadline), ICR with every delivery mode.
 * vlapic_post() is lock-free from any core; everything else is for the home
 * core of the vCPU. Registers live in a page of hardware layout (hw.apic_page).
 */
#ifndef HV_IRQ_VLAPIC_H
#define HV_IRQ_VLAPIC_H

#include "hv/core/pc_map.h"
#include "hv/core/vcpu.h"
#include "include/hw/msr.h"

enum trigger { TRIGGER_EDGE, TRIGGER_LEVEL };

int __must_check vlapic_create(struct vcpu *v);
void vlapic_destroy(struct vcpu *v);
void vlapic_reset(struct vcpu *v, bool init);
/* It has the core again: a periodic timer that rested meanwhile goes on */
void vlapic_taken(struct vcpu *v);
void vlapic_post(struct vcpu *v, u8 vector, enum trigger trigger);
/* Highest vector above the PPR, or -1; takes posted ones into the IRR */
int vlapic_pending(struct vcpu *v);
/* Highest requested vector whatever the PPR (for a TPR window), or -1 */
int vlapic_highest_irr(struct vcpu *v);
/* @vector is requested and not taken yet. Any core; it may be a moment old. */
bool vlapic_requested(const struct vcpu *v, u8 vector);
/* Delivered: IRR to ISR */
void vlapic_accept(struct vcpu *v, u8 vector);
/* x2APIC MSRs 0x800-0x8ff; -EINVAL: #GP */
int __must_check vlapic_msr_read(struct vcpu *v, u32 msr, u64 *value);
int __must_check vlapic_msr_write(struct vcpu *v, u32 msr, u64 value);
int __must_check vlapic_base_write(struct vcpu *v,
				   u64 value); /* IA32_APIC_BASE */
u64 vlapic_deadline_read(struct vcpu *v);      /* IA32_TSC_DEADLINE */
void vlapic_deadline_write(struct vcpu *v, u64 value);
/* MMIO page of one vCPU: the bus row for 0xfee00000, by vm_create() */
u64 vlapic_mmio_read(struct vcpu *v, void *dev, u64 offset, u8 size);
void vlapic_mmio_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value);
/* An exit for it, by an instruction simple enough: done but for the step over
 * it (v->hw.exit.insn_len). False: hv/emulate/emulate.h does it. */
bool vlapic_page_exit(struct vcpu *v, const struct vcpu_exit *e);
/* Where on the MMIO bus is what @v finds at @gpa: IA32_APIC_BASE moves the page
 * of this vCPU alone, and leaves nothing behind */
static inline u64 vlapic_bus_gpa(const struct vcpu *v, u64 gpa)
{
	u64 page = v->apic_base_msr & APIC_BASE_ADDR;

	if (likely(page == PC_LAPIC_BASE) || !(v->apic_base_msr & APIC_BASE_EN))
		return gpa; /* switched off, it answers nothing there either */
	if (gpa - page < PAGE_SIZE)
		return gpa - page + PC_LAPIC_BASE;
	/* The page behind it is claimed, and answers nothing */
	return gpa - PC_LAPIC_BASE < PAGE_SIZE ? gpa + PAGE_SIZE : gpa;
}
/* An interrupt message as devices and IOAPICs send it (SDM 3A 11.11): resolves
 * destinations among the VM's vCPUs. Any core. How many took it. */
u32 vlapic_deliver(struct vm *vm, u32 dest, bool logical, u8 delivery_mode,
		   u8 vector, enum trigger trigger);
/* The vCPU an MSI/RTE with this destination would reach first, or NULL: where a
 * physical interrupt should be routed */
struct vcpu *vlapic_target(struct vm *vm, u32 dest, bool logical);
/* How many vCPUs it reaches, and the first of them */
u32 vlapic_match(struct vm *vm, u32 dest, bool logical, struct vcpu **first);
/* Paravirtual IPI (hv/pv/kvm_pv.h): an ICR without destination, of fixed or NMI
 * mode; and it sent to @target, from any core: false when that vLAPIC takes
 * none, or not this vector */
bool vlapic_icr_is_plain(u32 icr);
bool vlapic_send(struct vcpu *target, u32 icr);
/* Paravirtual EOI on or off: the guest may end an interrupt by clearing bit 0
 * at @gpa when it finds it set. -EINVAL: not RAM, or not aligned. */
int __must_check vlapic_pv_eoi_set(struct vcpu *v, bool on, gpa_t gpa);
/* PIC's INTR through LINT0 (ExtINT), privileged guest */
bool vlapic_extint_enabled(struct vcpu *v);
/* For dumps */
void vlapic_dump(struct vcpu *v);

#endif
