/* SPDX-License-Identifier: BSD-2-Clause */
/* What any core may ask of a vCPU (vcpu.h). No lock. */
#include "hv/core/vcpu.h"

#include "arch/x86/machine/smp.h"
#include "hv/core/meter.h"

/* Somebody is about to wake @v, or to send its core an IPI */
static inline void asks(struct vcpu *v, bool wakes)
{
	if (unlikely(meter_listens))
		meter_asked(v, wakes);
}

void vcpu_post(struct vcpu *v, u32 event_bits)
{
	struct pcpu *cpu = v->entity.cpu;

	__atomic_fetch_or(&v->events, event_bits, __ATOMIC_SEQ_CST);
	if (sched_is_blocked(&v->entity)) {
		asks(v, true);
		sched_wake(&v->entity);
	} else if (READ_ONCE(cpu->in_guest) && cpu != this_cpu() &&
		   READ_ONCE(cpu->current) == v) {
		asks(v, false);
		pcpu_kick(cpu, 0);
	}
}

void vcpu_post_here(struct vcpu *v, u32 event_bits)
{
	__atomic_fetch_or(&v->events, event_bits, __ATOMIC_RELAXED);
	if (unlikely(sched_is_blocked(&v->entity)))
		sched_wake(&v->entity);
}

void vcpu_block(struct vcpu *v)
{
	sched_block(&v->entity);
	if (READ_ONCE(v->events))
		sched_wake(&v->entity);
	pcpu_kick(v->entity.cpu, PCPU_RESCHED);
}

void vcpu_flush(struct vcpu *v)
{
	vcpu_ops->flush(&v->hw);
}

void vm_flush_here(const struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpus[i]->entity.cpu == this_cpu())
			vcpu_flush(vm->vcpus[i]);
}
