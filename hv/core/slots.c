/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slots of a guest's memory, looked up (slots.h). They are filled by
 * hv/vm/memory.c before the guest runs and constant afterwards: no lock.
 */
#include "hv/core/slots.h"

const struct vm_slot *vm_slot_at(const struct vm *vm, gpa_t gpa)
{
	u32 lo = 0, hi = vm->slot_count;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;
		const struct vm_slot *s = &vm->slots[mid];

		if (gpa.v < s->gpa)
			hi = mid;
		else if (gpa.v - s->gpa >= s->size)
			lo = mid + 1;
		else
			return s;
	}
	return NULL;
}

bool vm_translate(const struct vm *vm, gpa_t gpa, hpa_t *hpa, u64 *left)
{
	const struct vm_slot *s = vm_slot_at(vm, gpa);

	if (!s || s->rom)
		return false;
	*hpa = HPA(s->hpa + (gpa.v - s->gpa));
	*left = s->size - (gpa.v - s->gpa);
	return true;
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
