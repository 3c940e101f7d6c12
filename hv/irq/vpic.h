/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8259 pair with ELCR (Intel 8259A data sheet), fed by the same lines as
 * the vIOAPIC's first 16 pins. Its output is the boot vCPU's LINT0 and, in
 * isolated guests, pin 0 of the IOAPIC. Any core; the 8259's own lock, below
 * every device's.
 */
#ifndef HV_IRQ_VPIC_H
#define HV_IRQ_VPIC_H

#include "hv/core/vm.h"

/* NULL: not made yet */
static inline struct vpic *vpic_of(const struct vm *vm)
{
	return vm->devices[VDEV_vpic];
}

/* Vectors as every PC BIOS sets them, and all inputs masked but those that it
 * serves: a boot loader hands that on (Multiboot 0.6.96 3.2), and there are
 * kernels that keep the masks they find. An isolated guest's, after its reset,
 * on the boot vCPU's home core, while no vCPU runs */
void vpic_as_by_bios(struct vm *vm);
/* The level of input @irq, 0 to 15 */
void vpic_set_line(struct vm *vm, u32 irq, bool level);
/* Vector to deliver as ExtINT, or -1; acknowledges it */
int vpic_acknowledge(struct vm *vm);
/* The output is up: vpic_acknowledge() would have a vector. Hot, no lock. */
bool vpic_has_interrupt(struct vm *vm);
/* Would a rise of the line change anything, now or once it is unmasked? */
bool vpic_wants(struct vm *vm, u32 irq);
/* Requested, not masked, and not acknowledged yet */
bool vpic_waits(struct vm *vm, u32 irq);
/* Who gets the output may have changed. No lock held. */
void vpic_look(struct vm *vm);

#endif
