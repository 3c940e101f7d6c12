/* SPDX-License-Identifier: BSD-2-Clause */
/* See siblings.h. Called by hv/init.c; no lock. */
#include "hv/vm/siblings.h"

#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/percpu.h"
#include "hv/core/vcpu.h"
#include "lib/log.h"

/* Has @vm a vCPU on @cpu? */
static bool is_on(const struct vm *vm, const struct pcpu *cpu)
{
	for (u32 n = 0; n < vm->vcpu_count; n++)
		if (vm->vcpus[n] && vm->vcpus[n]->entity.cpu == cpu)
			return true;
	return false;
}

static bool are_siblings(const struct pcpu *a, const struct pcpu *b)
{
	return a->apic_id >> cpu_features.smt_shift ==
	       b->apic_id >> cpu_features.smt_shift;
}

/* Have both a guest, and together more than one? */
static bool mixed(const struct pcpu *a, const struct pcpu *b)
{
	bool any_a = false, any_b = false;
	u32 guests = 0;

	for (u32 i = 0; i < vm_count; i++) {
		const struct vm *vm = vm_at(i);
		bool on_a = vm && is_on(vm, a), on_b = vm && is_on(vm, b);

		any_a |= on_a;
		any_b |= on_b;
		guests += on_a || on_b;
	}
	return any_a && any_b && guests > 1;
}

u32 siblings_report(void)
{
	const struct pcpu *first[2] = { NULL };
	u32 pairs = 0;

	if (!cpu_features.smt_shift)
		return 0;
	for (u32 i = 0; i < pcpu_count; i++)
		for (u32 j = i + 1; j < pcpu_count; j++) {
			if (!are_siblings(pcpus[i], pcpus[j]) ||
			    !mixed(pcpus[i], pcpus[j]))
				continue;
			if (!pairs++) {
				first[0] = pcpus[i];
				first[1] = pcpus[j];
			}
		}
	if (pairs)
		log_warn("speculation",
			 "different guests share a processor core: %u and %u "
			 "are its threads, and there are %u such pairs; give "
			 "each guest whole cores by cores =, or switch SMT off",
			 first[0]->id, first[1]->id, pairs);
	return pairs;
}
