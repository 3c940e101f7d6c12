/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slots of a guest's memory, looked up (slots.h). They are filled by
 * hv/vm/memory.c before the guest runs and constant afterwards: no lock.
 */
#include "hv/core/slots.h"

#include "hv/core/vcpu.h"

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

void vm_flush_here(const struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpus[i]->entity.cpu == this_cpu())
			vcpu_flush(vm->vcpus[i]);
}
