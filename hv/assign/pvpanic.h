/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged guest's pvpanic function, as QEMU specifies it: its kernel
 * says there that it has panicked. A stock Debian kernel does so once udev has
 * loaded pvpanic-pci.
 */
#ifndef HV_ASSIGN_PVPANIC_H
#define HV_ASSIGN_PVPANIC_H

#include "hv/core/vm.h"

/* Gives @vm the function. Where it cannot be, the log says so, and the guest
 * runs without. Boot CPU, once, when the VM is built and does not run yet. */
void pvpanic_create(struct vm *vm);

#endif
