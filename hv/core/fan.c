/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all vCPUs of a VM are told, in steps that are short however many there
 * are (vm.h). A tree: vCPU i tells those from (i + 1) * VM_FAN on. No lock.
 */
#include "hv/core/vcpu.h"

/* Those numbered from @first */
static void post_some(struct vm *vm, u32 first, u32 event_bits)
{
	u32 end = MIN(first + VM_FAN, vm->vcpu_count);

	for (u32 i = first; i < end; i++)
		vcpu_post(vm->vcpus[i], event_bits);
}

void vm_post_all(struct vm *vm, u32 event_bits)
{
	post_some(vm, 0, event_bits);
}

void vm_pass_on(struct vcpu *v, u32 event_bits)
{
	post_some(v->vm, (v->id + 1) * VM_FAN, event_bits);
}
