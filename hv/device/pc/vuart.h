/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual 16550A at COM1, IRQ 4 through the vIOAPIC (and vPIC); its other end
 * is the console mux. */
#ifndef HV_DEVICE_PC_VUART_H
#define HV_DEVICE_PC_VUART_H

#include "hv/core/vm.h"

int __must_check vuart_create(struct vm *vm);
void vuart_destroy(struct vm *vm);
void vuart_reset(struct vm *vm);

#endif
