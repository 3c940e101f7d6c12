/* SPDX-License-Identifier: BSD-2-Clause */
/* All virtual devices of a guest, by the rows of hv/core/vdev_table.h */
#ifndef HV_VM_DEVICES_H
#define HV_VM_DEVICES_H

#include "hv/core/vm.h"

/* Make those of @vm's kind of guest, one or a piece of it a call, in order, on
 * any core, once its memory, buses and vCPUs are there. *@done is 0 at first,
 * and counts.
 * VM_GOES_ON: there are more. -errno of the first that fails, after a sentence;
 * devices_destroy() undoes what was made. */
int __must_check devices_create(struct vm *vm, u32 *done);
/* Those that were made, the last first. As vdev.destroy() says. */
void devices_destroy(struct vm *vm);
/* Power-on state again, in order. All vCPUs are parked. */
void devices_reset(struct vm *vm);

#endif
