/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slots of a guest's memory, looked up (slots.h). They are filled by
 * hv/vm/memory.c and shape.c before the guest runs and constant afterwards: no
 * lock.
 */
#include "hv/core/slots.h"

/* Among @slots[@lo] up to @slots[@hi] */
static const struct vm_slot *find(const struct vm_slot *slots, u32 lo, u32 hi,
				  gpa_t gpa)
{
	while (lo < hi) {
		u32 mid = (lo + hi) / 2;
		const struct vm_slot *s = &slots[mid];

		if (gpa.v < s->gpa)
			hi = mid;
		else if (gpa.v - s->gpa >= s->size)
			lo = mid + 1;
		else
			return s;
	}
	return NULL;
}

const struct vm_slot *vm_slot_at(const struct vm *vm, gpa_t gpa)
{
	return find(vm->slots, 0, vm->slot_count, gpa);
}

static const struct vm_slot *kept_at(const struct vm *vm, gpa_t gpa)
{
	return find(vm->slots, vm->slot_count, vm->slot_count + vm->kept_count,
		    gpa);
}

static bool translate(const struct vm_slot *s, gpa_t gpa, hpa_t *hpa, u64 *left)
{
	if (!s || s->rom)
		return false;
	*hpa = HPA(s->hpa + (gpa.v - s->gpa));
	*left = s->size - (gpa.v - s->gpa);
	return true;
}

bool vm_translate(const struct vm *vm, gpa_t gpa, hpa_t *hpa, u64 *left)
{
	return translate(vm_slot_at(vm, gpa), gpa, hpa, left);
}

bool vm_held(const struct vm *vm, gpa_t gpa, hpa_t *hpa, u64 *left)
{
	return vm_translate(vm, gpa, hpa, left) ||
	       translate(kept_at(vm, gpa), gpa, hpa, left);
}

bool vm_keeps(const struct vm *vm, gpa_t gpa)
{
	return kept_at(vm, gpa);
}

u64 vm_held_bytes(const struct vm *vm)
{
	u64 sum = vm_ram_between(vm, 0, ~0ull);

	for (u32 i = 0; i < vm->kept_count; i++)
		sum += vm->slots[vm->slot_count + i].size;
	return sum;
}

u64 vm_ram_between(const struct vm *vm, u64 from, u64 to)
{
	u64 sum = 0;

	for (u32 i = 0; i < vm->slot_count; i++) {
		const struct vm_slot *s = &vm->slots[i];
		u64 low = MAX(s->gpa, from), high = MIN(s->gpa + s->size, to);

		if (!s->rom && low < high)
			sum += high - low;
	}
	return sum;
}

u64 vm_ram_end(const struct vm *vm, u64 below)
{
	u64 end = 0;

	for (u32 i = 0; i < vm->slot_count; i++)
		if (!vm->slots[i].rom && vm->slots[i].gpa < below)
			end = vm->slots[i].gpa + vm->slots[i].size;
	return end;
}
