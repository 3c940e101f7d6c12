/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest stands still, see pause.h. vm->paused is set or cleared before
 * VE_PAUSE is posted, so each vCPU that takes that knows which it is, and tells
 * its own part of the others (hv/core/fan.c). An interrupt that came meanwhile
 * is looked for when it goes on. No lock: vm->paused changes while all vCPUs
 * go, or all stand.
 */
#include "hv/vm/pause.h"

#include "arch/x86/machine/smp.h"
#include "hv/vm/dynamic.h"

void pause_begin(struct vm *vm)
{
	__atomic_store_n(&vm->vcpus_to_pause, vm->vcpu_count, __ATOMIC_SEQ_CST);
	__atomic_store_n(&vm->paused, true, __ATOMIC_SEQ_CST);
	vm_post_all(vm, VE_PAUSE);
}

void pause_end(struct vm *vm)
{
	__atomic_store_n(&vm->paused, false, __ATOMIC_SEQ_CST);
	vm_post_all(vm, VE_PAUSE);
}

static void stand(struct vcpu *v)
{
	struct vm *vm = v->vm;

	v->held = v->activity;
	v->activity = VCPU_PAUSED;
	vm_pass_on(v, VE_PAUSE);
	if (!__atomic_sub_fetch(&vm->vcpus_to_pause, 1, __ATOMIC_SEQ_CST))
		dynamic_paused(vm);
}

void pause_take(struct vcpu *v)
{
	bool paused = __atomic_load_n(&v->vm->paused, __ATOMIC_SEQ_CST);

	if (v->activity == VCPU_PARKED || v->activity == VCPU_WORKING)
		return; /* it ends, and stands or will */
	if (paused == (v->activity == VCPU_PAUSED))
		return;
	if (paused) {
		stand(v);
		return;
	}
	v->activity = v->held;
	vm_pass_on(v, VE_PAUSE);
	vcpu_post(v, VE_IRQ);
}

void pause_wait(struct vcpu *v)
{
	sched_block(&v->entity);
	if (READ_ONCE(v->events) & (VE_PAUSE | VE_STOP))
		sched_wake(&v->entity);
	pcpu_kick(v->entity.cpu, PCPU_RESCHED);
}
