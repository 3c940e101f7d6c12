/* SPDX-License-Identifier: BSD-2-Clause */
/* See siblings.h. Called by hv/init.c; no lock. */
#include "hv/vm/siblings.h"

#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/percpu.h"
#include "hv/core/vcpu.h"
#include "lib/log.h"

static_assert(VM_MAX <= 64, "a bit each");

/* A bit for each of vms[] that has a vCPU on @cpu */
static u64 guests_on(const struct pcpu *cpu)
{
	u64 guests = 0;

	for (u32 i = 0; i < vm_count; i++)
		for (u32 n = 0; n < vms[i]->vcpu_count; n++)
			if (vms[i]->vcpus[n] &&
			    vms[i]->vcpus[n]->entity.cpu == cpu)
				guests |= BIT(i);
	return guests;
}

static bool are_siblings(const struct pcpu *a, const struct pcpu *b)
{
	return a->apic_id >> cpu_features.smt_shift ==
	       b->apic_id >> cpu_features.smt_shift;
}

/* Is a guest on one of them that is not the only one on the other? */
static bool mixed(const struct pcpu *a, const struct pcpu *b)
{
	u64 on_a = guests_on(a), on_b = guests_on(b);

	return on_a && on_b && (on_a != on_b || (on_a & (on_a - 1)));
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
