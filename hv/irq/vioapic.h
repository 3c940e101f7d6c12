/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual IOAPIC (82093AA, 24 pins or as many as the host has GSIs).
 * Lines are set by virtual devices (vUART) or, in the privileged guest, by
 * physical interrupts through hv/irq/route.h. Any core; the vIOAPIC's own lock,
 * below every device's.
 */
#ifndef HV_IRQ_VIOAPIC_H
#define HV_IRQ_VIOAPIC_H

#include "hv/core/pc_map.h"
#include "hv/core/vm.h"

#define VIOAPIC_BASE PC_IOAPIC_BASE

/* The level of @pin, below the number of pins */
void vioapic_set_line(struct vm *vm, u32 pin, bool level);
/* One of up to 8 that share the pin: it is up while one of them has it up.
 * vioapic_set_line() is source 0. */
void vioapic_set_source(struct vm *vm, u32 pin, u32 source, bool level);
/* Not masked */
bool vioapic_pin_open(struct vm *vm, u32 pin);
/* Not masked, and the vCPU has not taken the last interrupt yet */
bool vioapic_pin_waits(struct vm *vm, u32 pin);
/* Pin 0 passes the 8259's output to @v (MP Specification 1.4, 3.6.2.2 *Virtual
 * Wire Mode* via the IOAPIC) */
bool vioapic_extint(struct vm *vm, const struct vcpu *v);
/* The vCPU that pin 0 does so for, or NULL */
struct vcpu *vioapic_extint_target(struct vm *vm);
/* A level-triggered @vector was EOId, for pins from *@next on to below @end: 0
 * and VIOAPIC_EOI_ALL at first, for those of all units. Pins may be many, and
 * each that waits for it costs accesses of the physical IOAPIC, or messages: no
 * more than VIOAPIC_EOI_PINS of them. True: all pins know. */
#define VIOAPIC_EOI_PINS 16u
#define VIOAPIC_EOI_ALL  (~0u)
bool __must_check vioapic_eoi(struct vm *vm, u8 vector, u32 *next, u32 end);

#endif
