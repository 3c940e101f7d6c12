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

#endif
