/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual machine from its start to its end (vm_end(): hv/core/vm.h) */
#ifndef HV_VM_LIFE_H
#define HV_VM_LIFE_H

#include "hv/core/vcpu.h"

/* Its boot vCPU becomes runnable and begins with vm_build_step(). Boot CPU,
 * once, after vm_create(). */
void vm_start(struct vm *vm);
/* A piece of the work before the first instruction: RAM is zeroed, then the
 * image is loaded. In the boot vCPU's own time, on its home core. True: all is
 * done and it may run. */
bool vm_build_step(struct vcpu *boot);
/* Home core of @v, which has taken VE_STOP: it parks, and the last vCPU of its
 * guest does what vm_end() promised */
void vm_vcpu_parked(struct vcpu *v);

#endif
