/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyboard controller of an isolated guest, with a keyboard that nobody
 * types on and no mouse: enough to reset, for A20, and for a driver to find it
 * in order. Port 92h, too.
 */
#ifndef HV_DEVICE_PC_VKBC_H
#define HV_DEVICE_PC_VKBC_H

#include "hv/core/vm.h"

int __must_check vkbc_create(struct vm *vm);
void vkbc_destroy(struct vm *vm);
void vkbc_reset(struct vm *vm);

#endif
