/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest stands still, see pause.h. vm->pauses is counted up before VE_PAUSE
 * is posted: it is odd while the guest is to stand. Each vCPU that takes
 * VE_PAUSE compares it with the last one that it took, and tells its own part
 * of the others (hv/core/fan.c). So a vCPU that hears of an end and of the next
 * pause at once counts as one that stands again. An interrupt that came
 * meanwhile is looked for when it goes on. Lock: vm->lock, for a change of
 * vm->pauses.
 */
#include "hv/vm/pause.h"

#include "arch/x86/machine/smp.h"
#include "hv/vm/debug.h"
#include "hv/vm/dynamic.h"
#include "hv/vm/kept.h"

/* To the next that is odd, or even */
static void count_up(struct vm *vm, bool paused)
{
	u32 next = vm->pauses + 1;

	if ((next & 1) != paused)
		next++;
	__atomic_store_n(&vm->pauses, next, __ATOMIC_SEQ_CST);
}

void pause_begin(struct vm *vm)
{
	__atomic_store_n(&vm->vcpus_to_pause, vm->vcpu_count, __ATOMIC_SEQ_CST);
	count_up(vm, true);
	vm_post_all(vm, VE_PAUSE);
}

void pause_end(struct vm *vm)
{
	count_up(vm, false);
	vm_post_all(vm, VE_PAUSE);
}

void pause_forget(struct vm *vm)
{
	count_up(vm, false);
}

static void stand(struct vcpu *v)
{
	struct vm *vm = v->vm;

	if (v->activity != VCPU_PAUSED)
		v->held = v->activity;
	else
		kept_give_back(v);
	v->activity = VCPU_PAUSED;
	debug_disarm(v);
	kept_take(v);
	if (__atomic_sub_fetch(&vm->vcpus_to_pause, 1, __ATOMIC_SEQ_CST))
		return;
	if (!debug_stood(vm))
		dynamic_paused(vm);
}

void pause_take(struct vcpu *v)
{
	u32 now = __atomic_load_n(&v->vm->pauses, __ATOMIC_SEQ_CST);

	if (v->activity == VCPU_PARKED || v->activity == VCPU_WORKING)
		return; /* it ends, and stands or will */
	if (now == v->pauses)
		return;
	v->pauses = now;
	vm_pass_on(v, VE_PAUSE);
	if (now & 1) {
		stand(v);
	} else if (v->activity == VCPU_PAUSED && !debug_holds(v)) {
		v->activity = v->held;
		kept_give_back(v);
		debug_arm(v);
		vcpu_post(v, VE_IRQ);
	}
}

void pause_wait(struct vcpu *v)
{
	sched_block(&v->entity);
	if (READ_ONCE(v->events) & (VE_PAUSE | VE_STOP))
		sched_wake(&v->entity);
	pcpu_kick(v->entity.cpu, PCPU_RESCHED);
}
