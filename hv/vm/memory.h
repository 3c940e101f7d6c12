/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's RAM and ROM: for hv/vm/create.c, under its lock */
#ifndef HV_VM_MEMORY_H
#define HV_VM_MEMORY_H

#include "hv/core/vm.h"

/*
 * Take the guest's memory and map it. An isolated guest's comes from the top of
 * the machine; the privileged guest gets all that is free, so it is created
 * last. -ENOMEM, -ENOSPC, after one sentence; vm_memory_release() undoes what
 * was done.
 */
int __must_check vm_memory_create(struct vm *vm);
/* The slots that the guest takes at most, struct vm's slot_max, by who owns
 * memory just then */
u32 vm_memory_slots(const struct guest_config *config);
/* Give all of it back; also after a vm_memory_create() that failed */
void vm_memory_release(struct vm *vm);

#endif
