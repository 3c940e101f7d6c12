/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest to hang devices on, see vm.h */
#include "tests/unit/fakes/vm.h"

struct vm fake_vm;
struct vcpu fake_vcpus[4];

void fake_vm_init(u32 vcpus)
{
	memset(&fake_vm, 0, sizeof(fake_vm));
	memset(fake_vcpus, 0, sizeof(fake_vcpus));
	strcpy(fake_vm.name, "test");
	fake_vm.vcpu_count = vcpus;
	for (u32 i = 0; i < vcpus; i++) {
		fake_vm.vcpus[i] = &fake_vcpus[i];
		fake_vcpus[i].vm = &fake_vm;
		fake_vcpus[i].id = i;
		fake_pcpus[i].id = i;
		fake_pcpus[i].apic_id = 0x10 + i;
		fake_vcpus[i].entity.cpu = &fake_pcpus[i];
	}
}
