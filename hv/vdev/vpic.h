/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8259 pair with ELCR as the privileged guest sees it, fed by the same
 * lines as the vIOAPIC's first 16 pins (Intel 8259A data sheet) */
#ifndef HV_VDEV_VPIC_H
#define HV_VDEV_VPIC_H

#include "hv/vm.h"

int __must_check vpic_create(struct vm *vm);
void vpic_destroy(struct vm *vm);
void vpic_reset(struct vm *vm);
void vpic_set_line(struct vm *vm, u32 irq, bool level);
/* Vector to deliver as ExtINT, or -1; acknowledges it */
int vpic_acknowledge(struct vm *vm);
bool vpic_has_interrupt(struct vm *vm);

#endif
