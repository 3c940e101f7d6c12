/* SPDX-License-Identifier: BSD-2-Clause */
/* One VM with up to four vCPUs, each at home on a core of its own */
#ifndef TESTS_UNIT_FAKES_VM_H
#define TESTS_UNIT_FAKES_VM_H

#include "hv/core/vcpu.h"
#include "hv/core/vm.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/test.h"

extern struct vm fake_vm;
extern struct vcpu fake_vcpus[4];

/* Everything zero, "test" for a name, and that many vCPUs. vCPU i is at home on
 * fake_pcpus[i], whose APIC id is 10h + i. */
void fake_vm_init(u32 vcpus);

#endif
