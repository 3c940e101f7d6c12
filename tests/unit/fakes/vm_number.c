/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/core/vm.c's, for tests without the rest of it */
#include "hv/core/vm.h"

u64 vm_number(const struct vm *vm)
{
	return vm->number * VM_MAX + vm->id + 1;
}
