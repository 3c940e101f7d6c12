/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a guest's memory lies. Any core and context, no lock: the slots do not
 * change while the guest lives. Those of a dynamic guest change when it starts,
 * before its files are loaded, and nobody looks then.
 */
#ifndef HV_CORE_SLOTS_H
#define HV_CORE_SLOTS_H

#include "hv/core/vm.h"

/* The slot, of RAM or ROM, that @gpa is in; NULL if in none */
const struct vm_slot *vm_slot_at(const struct vm *vm, gpa_t gpa);
/* Guest-physical to host-physical of RAM; false if no slot of RAM covers it.
 * *@left: bytes from there to the slot's end, contiguous in both. */
bool vm_translate(const struct vm *vm, gpa_t gpa, hpa_t *hpa, u64 *left);
/* The same for what the guest holds: RAM, or what hv/vm/shape.h keeps from it
 * and lies at @gpa in its place. vm_keeps(): is it the latter? */
bool vm_held(const struct vm *vm, gpa_t gpa, hpa_t *hpa, u64 *left);
bool vm_keeps(const struct vm *vm, gpa_t gpa);
/* Bytes of both */
u64 vm_held_bytes(const struct vm *vm);
/* Bytes of RAM in [from, to) */
u64 vm_ram_between(const struct vm *vm, u64 from, u64 to);
/* Where the last RAM ends that begins below @below; 0: none does */
u64 vm_ram_end(const struct vm *vm, u64 below);

#endif
