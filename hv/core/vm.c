/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual machines there are, and the request that one end. Making one and
 * the rest of its life: hv/vm/.
 *
 * Lock: vm->lock protects state and end; below it no other lock.
 */
#include "hv/core/vm.h"

#include "hv/core/vcpu.h"
#include "lib/log.h"

u32 vm_npt_max_level;
struct vm *vms[VM_MAX];
u32 vm_count;
struct vm *vm_privileged;
void (*vm_changed_hook)(void);

static const char *end_name(enum vm_end how)
{
	static const char *const names[] = {
		[VM_END_NONE] = "ends",
		[VM_END_POWER_OFF] = "powers off",
		[VM_END_RESET] = "resets",
		[VM_END_CRASH] = "crashed",
		[VM_END_DEBUG_EXIT] = "ends",
		[VM_END_NOT_LOADED] = "does not start",
		[VM_END_FAILURE] = "resets",
	};

	return names[how];
}

void vm_end(struct vm *vm, enum vm_end how, const char *reason)
{
	bool ours;

	spin_lock(&vm->lock);
	ours = vm->state == VM_RUNNING && vm->end == VM_END_NONE;
	if (ours) {
		vm->end = how;
		vm->end_reason = reason;
	}
	spin_unlock(&vm->lock);
	if (!ours)
		return;
	if (how == VM_END_CRASH || how == VM_END_NOT_LOADED)
		log_error("vm", "guest %s %s: %s", vm->name, end_name(how),
			  reason);
	else
		log_info("vm", "guest %s %s: %s", vm->name, end_name(how),
			 reason);
	vm_post_all(vm, VE_STOP);
	vm_changed();
}

u64 vm_number(const struct vm *vm)
{
	return vm->number * VM_MAX + vm->id + 1;
}
