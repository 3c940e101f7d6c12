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
/* Bytes of RAM in [from, to) */
u64 vm_ram_between(const struct vm *vm, u64 from, u64 to);
/* Where the last RAM ends that begins below @below; 0: none does */
u64 vm_ram_end(const struct vm *vm, u64 below);

#endif
