/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power and reset as guests ask for them. Privileged guest: PM1 control of the
 * host's FADT, the reset register, CF9, keyboard controller command FEh, port
 * 92h; all else on those ports passes to the hardware. Isolated guests have
 * theirs in vpm.c, vkbc.c and pci_bus.c.
 */
#ifndef HV_ASSIGN_VPOWER_H
#define HV_ASSIGN_VPOWER_H

#include "hv/core/vm.h"

/* Port CF9h lies among the PCI address port's bytes (CF8h..CFBh), which
 * passthrough claims: it asks here first. True: the write was a reset and is
 * done. */
bool vpower_cf9_write(struct vm *vm, u8 value);

#endif
