/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What test programs written for QEMU expect, off unless the manifest asks:
 * isa-debug-exit (debug_exit_port =) and pc-testdev (testdev = yes).
 */
#ifndef HV_DEVICE_PC_TESTDEV_H
#define HV_DEVICE_PC_TESTDEV_H

#include "hv/core/vm.h"

/* A write to the port ends the guest with that status in the log. Any VM; it
 * has no state. */
int __must_check debug_exit_create(struct vm *vm);

int __must_check testdev_create(struct vm *vm);
void testdev_destroy(struct vm *vm);
void testdev_reset(struct vm *vm);

#endif
