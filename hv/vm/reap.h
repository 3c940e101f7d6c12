/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a guest's parts: what vm_create() made is given back, after the
 * guest has run, and so is its id */
#ifndef HV_VM_REAP_H
#define HV_VM_REAP_H

#include "hv/core/vm.h"

/*
 * @vm is nobody's from now on: vms[] forgets it at once, and its parts follow
 * in pieces, when each core has let go of it. All its vCPUs are parked, or have
 * never run. Its memory holds nothing worth hiding, and nobody else's table
 * maps it. What has taken interrupts or device functions for it has given them
 * back. When all of that is free, and the id, @freed gets a copy of
 * vm->reap.farewell, unless it is NULL. No lock is held. Home core of its boot
 * vCPU.
 */
void reap(struct vm *vm, void (*freed)(const struct vm_farewell *f));
/* The same of a guest that was never whole (create.h): vms[] has not known it.
 * Any core. */
void reap_unborn(struct vm *vm, void (*freed)(const struct vm_farewell *f));
/* For quiesce_pass(): what this core has of guests that are reaped goes */
void reap_here(void);

#endif
