/* SPDX-License-Identifier: BSD-2-Clause */
/* vm_end() that takes notes; a reason must be given */
#ifndef TESTS_UNIT_FAKES_VM_END_H
#define TESTS_UNIT_FAKES_VM_END_H

#include "hv/core/vm.h"

/* How and why the last call ended the VM, and the number of calls */
extern enum vm_end fake_vm_end;
extern const char *fake_vm_end_reason;
extern u32 fake_vm_ends;

#endif
