/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The port to which firmware writes its messages (QEMU's isa-debugcon at 402h;
 * SeaBIOS and OVMF find it by reading E9h there). Only when the manifest says
 * debug_console = yes.
 */
#ifndef HV_DEVICE_PC_DEBUGCON_H
#define HV_DEVICE_PC_DEBUGCON_H

#include "hv/core/vm.h"

int __must_check debugcon_create(struct vm *vm);
void debugcon_destroy(struct vm *vm);
void debugcon_reset(struct vm *vm);

#endif
