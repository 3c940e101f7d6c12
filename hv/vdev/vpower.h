/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power and reset as guests ask for them. Privileged guest: PM1 control of the
 * host's FADT, the reset register, CF9, keyboard controller command FEh, port
 * 92h (all else on those ports passes to the hardware). Isolated guest: the
 * sleep and reset registers of its hardware-reduced FADT.
 */
#ifndef HV_VDEV_VPOWER_H
#define HV_VDEV_VPOWER_H

#include "hv/vm.h"

/* Isolated guests: ports of the hardware-reduced FADT (hv/load/acpi_build.c) */
#define VPOWER_SLEEP_CONTROL 0x600 /* SLP_TYPx << 2 | SLP_EN; type 5 is S5 */
#define VPOWER_SLEEP_STATUS  0x601
#define VPOWER_RESET         0x602 /* write 1 */

int __must_check vpower_create(struct vm *vm);
/* A byte written to an isolated guest's PM block, at @offset: true if it was
 * for a register of the hardware-reduced FADT, and is done */
bool vpower_reduced_write(struct vm *vm, u64 offset, u8 value);
/* Port CF9h lies among the PCI address port's bytes (CF8h..CFBh), which vpci
 * claims: it asks here first. True: the write was a reset and is done. */
bool vpower_cf9_write(struct vm *vm, u8 value);

#endif
