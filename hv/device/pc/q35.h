/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chipset of an isolated guest: the Q35 host bridge (00.0) and the ICH9 LPC
 * bridge (1f.0), with the windows and routes their registers open.
 */
#ifndef HV_DEVICE_PC_Q35_H
#define HV_DEVICE_PC_Q35_H

#include "hv/core/vm.h"

/* After pci_bus_create() */
int __must_check q35_create(struct vm *vm);
void q35_destroy(struct vm *vm);
void q35_reset(struct vm *vm);

#endif
