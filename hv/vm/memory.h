/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's RAM and ROM: for hv/vm/create.c, under its lock */
#ifndef HV_VM_MEMORY_H
#define HV_VM_MEMORY_H

#include "hv/core/vm.h"

#define VM_RAM_ATTRS (PT_R | PT_W | PT_X)
#define VM_ROM_ATTRS (PT_R | PT_X)
/* Mapped in a step, from @gpa on: a table of the usual leaves */
static inline u64 vm_map_span(u64 gpa)
{
	u64 span = vm_npt_max_level > 1 ? PAGE_1G : PAGE_2M;

	return ALIGN_DOWN(gpa, span) + span - gpa;
}

/*
 * Take the guest's memory, and then map it, in steps of some microseconds:
 * VM_GOES_ON until all is done. An isolated guest's comes from the top of the
 * machine, which is one step; the privileged guest gets all that is free, so it
 * is created last. *@slot and *@at are 0 at first, and tell how far it is.
 * -ENOMEM, -ENOSPC, after one sentence; vm_memory_release() undoes what was
 * done.
 */
int __must_check vm_memory_take(struct vm *vm);
int __must_check vm_memory_map(struct vm *vm, u32 *slot, u64 *at);
/* The slots that the guest takes at most, struct vm's slot_max, by who owns
 * memory just then */
u32 vm_memory_slots(const struct guest_config *config);
/* Give it back, some in a step; true: there is none. Its tables are gone. */
bool __must_check vm_memory_release(struct vm *vm);

#endif
