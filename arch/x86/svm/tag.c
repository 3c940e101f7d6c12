/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address-space identifiers. An ASID belongs to a vCPU on one core for one
 * generation. When a core runs out, it begins a new generation with a flush of
 * all (APM 2 15.15, 15.16). The flush is an entry's: until a vCPU has made one,
 * every ASID given asks for it.
 */
#include "arch/x86/svm/internal.h"

void svm_assign_asid(struct vcpu_arch *a, struct pcpu *cpu)
{
	struct vmcb_control *c = &a->vmcb->control;
	struct backend_cpu *b = cpu->backend;

	if (b->next_asid >= svm_caps.asid_count) {
		b->generation++;
		b->next_asid = 1; /* 0 is the host's */
		b->flush_owed = true;
	}
	c->tlb_control = b->flush_owed ? TLB_FLUSH_ALL : TLB_DO_NOTHING;
	svm_look(a);
	c->guest_asid = b->next_asid++;
	a->asid_generation = b->generation;
	svm_unclean(a, CLEAN_ASID);
}

void svm_flush(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	svm_unclean(a, CLEAN_IOPM); /* ports' traps may have moved, too */
	if (a->vmcb->control.tlb_control == TLB_FLUSH_ALL)
		return; /* nothing less may take its place */
	if (svm_caps.flush_by_asid) {
		a->vmcb->control.tlb_control = TLB_FLUSH_ASID;
		svm_look(a);
	} else if (a->cpu) {
		svm_assign_asid(a, a->cpu);
	}
}
