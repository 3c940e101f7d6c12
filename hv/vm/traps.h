/* SPDX-License-Identifier: BSD-2-Clause */
/* What exits of a guest: for hv/vm/create.c, under its lock */
#ifndef HV_VM_TRAPS_H
#define HV_VM_TRAPS_H

#include "hv/core/vm.h"

/* Its bitmaps, once its CPUID is there; and its buses, which devices are to
 * come on. -ENOMEM, or what bus_add() says: traps_destroy() undoes both. */
int __must_check traps_create_bitmaps(struct vm *vm);
int __must_check traps_create_buses(struct vm *vm);
/* All its devices are there */
void traps_devices_made(struct vm *vm);
/* What there is of them */
void traps_destroy(struct vm *vm);

#endif
