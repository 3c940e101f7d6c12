/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power and reset as the privileged guest asks for them: PM1 control of the
 * host's FADT, the reset register, CF9h, keyboard controller command FEh, port
 * 92h. All else on those ports passes to the hardware. A sleep other than S5 is
 * refused: the guest wakes at once. Isolated guests have
 * theirs in vpm.c, vkbc.c and pci_bus.c. No locks.
 */
#ifndef HV_ASSIGN_VPOWER_H
#define HV_ASSIGN_VPOWER_H

#include "hv/core/vm.h"

/* The guest writes @value to the reset control register (ICH9 13.7.5). True: it
 * was a reset, and the guest ends; false: the write is for the hardware. For
 * passthrough.c, which claims the PCI address port's bytes, CF9h among them.
 * Any core. */
bool vpower_cf9_write(struct vm *vm, u8 value);

#endif
