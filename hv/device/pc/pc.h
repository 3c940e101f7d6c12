/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board of an isolated guest's PC: the table of its devices, made, reset
 * and destroyed in one order. Called by vm_create(), by the reset of a guest
 * and by vm_destroy().
 */
#ifndef HV_DEVICE_PC_PC_H
#define HV_DEVICE_PC_PC_H

#include "hv/core/vm.h"

/* 0 or -errno; what was made is undone by pc_destroy() */
int __must_check pc_create(struct vm *vm);
void pc_destroy(struct vm *vm);
/* Power-on state of every device; all vCPUs are parked */
void pc_reset(struct vm *vm);

/* An ISA interrupt line (0 to 15) of the board: the 8259 pair and the IOAPIC
 * pin that the MADT tells (IRQ 0: pin 2). Any core; locks of vpic and vioapic,
 * so after the caller's own. */
void pc_irq(struct vm *vm, u32 irq, bool level);

/* Lines that several devices may share are up while one of them has it up */
enum pc_source {
	PC_SOURCE_ANY,
	PC_SOURCE_SCI,
	PC_SOURCE_PCI,
	PC_SOURCE_HPET /* and 2 more */
};
/* pc_irq() of one of several; @irq 16 and more: that IOAPIC pin */
void pc_irq_shared(struct vm *vm, u32 irq, enum pc_source source, bool level);
/* Would a rise of the line do anything: it is not masked, or the 8259 would
 * remember it. Any core, as pc_irq(). */
bool pc_irq_wanted(struct vm *vm, u32 irq);
/* The last rise was sent and is not taken yet: another would be lost in it */
bool pc_irq_waits(struct vm *vm, u32 irq);
/* Something may have been unmasked: timers that rest look again. No locks. */
void pc_irq_unmasked(struct vm *vm);

#endif
