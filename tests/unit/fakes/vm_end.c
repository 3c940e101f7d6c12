/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a VM, see vm_end.h */
#include "tests/unit/fakes/vm_end.h"

#include "tests/unit/test.h"

enum vm_end fake_vm_end;
const char *fake_vm_end_reason;
u32 fake_vm_ends;

void vm_end(struct vm *vm, enum vm_end how, const char *reason)
{
	assert_non_null(reason);
	fake_vm_end = how;
	fake_vm_end_reason = reason;
	fake_vm_ends++;
}
