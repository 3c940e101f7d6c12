/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a guest's memory lies. Any core and context, no lock: the slots do not
 * change while the guest lives.
 */
#ifndef HV_CORE_SLOTS_H
#define HV_CORE_SLOTS_H

#include "hv/core/vm.h"

/* The slot, of RAM or ROM, that @gpa is in; NULL if in none */
const struct vm_slot *vm_slot_at(const struct vm *vm, gpa_t gpa);
/* Guest-physical to host-physical of RAM; false if no slot of RAM covers it.
 * *@left: bytes from there to the slot's end, contiguous in both. */
bool vm_translate(const struct vm *vm, gpa_t gpa, hpa_t *hpa, u64 *left);
/* A mapping was taken away: drop what the vCPUs of this core have cached of the
 * guest's translations. Every core on which it has vCPUs does so. */
void vm_flush_here(const struct vm *vm);

#endif
