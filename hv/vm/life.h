/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual machine from its start to its end (vm_end(): hv/core/vm.h) */
#ifndef HV_VM_LIFE_H
#define HV_VM_LIFE_H

#include "hv/core/vcpu.h"

/* Its boot vCPU becomes runnable and begins with vm_work_step(); the others
 * wait for SIPI. Boot CPU, once, after vm_create(). */
void vm_start(struct vm *vm);
/* A dynamic guest: the same, from work @first on. Any core; its vCPUs are
 * parked and it has ended, or never ran. */
void vm_start_at(struct vm *vm, enum vm_work first);
/* Home core of @v, which has taken VE_STOP: it parks, and the last vCPU of its
 * guest does what vm_end() promised */
void vm_vcpu_parked(struct vcpu *v);
/* For work.c: the guest has ended and its RAM is zero. Its boot vCPU parks
 * again, and it counts as ended. Home core of that vCPU. */
void vm_scrubbed(struct vm *vm);

/* Its code runs: it is neither being made ready nor at its end. Lock held. */
static inline bool vm_code_runs(const struct vm *vm)
{
	return vm->state == VM_RUNNING && vm->end == VM_END_NONE && vm->runs;
}
/* A static guest that has stopped or crashed starts anew. Any core. False: it
 * has not, or the machine ends. */
bool __must_check vm_start_again(struct vm *vm);

#endif
