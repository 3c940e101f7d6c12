/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done for a guest while none of its code runs: before its first
 * instruction (devices reset, RAM zeroed, image loaded) and behind its last
 * (RAM scrubbed). The boot vCPU does it, on its home core and in its own turns,
 * in pieces (hv/core/piece.h): others on that core have theirs.
 */
#ifndef HV_VM_WORK_H
#define HV_VM_WORK_H

#include "hv/core/vcpu.h"

/* @vm's boot vCPU will work from @first on, once it takes VE_START. It is
 * parked, or has never run. Any core. */
void vm_work_set(struct vm *vm, enum vm_work first);
/* Do a piece. True: the guest is ready, and the vCPU may run its code. Home
 * core of the boot vCPU @boot, which is VCPU_WORKING and current. */
bool vm_work_step(struct vcpu *boot);
/* The guest ends: the work is over. Home core of the boot vCPU. */
void vm_work_abandon(struct vm *vm);

#endif
