/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest stands still, see pause.h. vm->pauses is counted up before VE_PAUSE
 * is posted: it is odd while the guest is to stand. Each vCPU that takes
 * VE_PAUSE compares it with the last one that it took, and tells its own part
 * of the others (hv/core/fan.c). So a vCPU that hears of an end and of the next
 * pause at once counts as one that stands again. An interrupt that came
 * meanwhile is looked for when it goes on.
 *
 * A clock that stands does so from the moment in which the last vCPU stands to
 * pause_end(): that is vm->stood, one time for all. Each vCPU's timer rests
 * from its own stand on, and its TSC and timer are moved by what vm->stood has
 * grown when it goes on itself: so TSCs stay in step, and no vCPU's goes back.
 *
 * Lock: vm->lock, for a change of vm->pauses and vm->stood. But @since is set
 * by the last vCPU's core, before anybody is told that all stand.
 */
#include "hv/vm/pause.h"

#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/tsc.h"
#include "hv/irq/vlapic.h"
#include "hv/time/vtimer.h"
#include "hv/vm/debug.h"
#include "hv/vm/dynamic.h"
#include "hv/vm/kept.h"
#include "hv/vm/still.h"

/* --- the clock --- */

/* Of the time from @since to @now what lay before the change of the TSC's rate,
 * which the paravirtual clock has to know */
static u64 before_change(u64 since, u64 now)
{
	struct tsc_change change;

	if (!tsc_rate_changed(&change) || (s64)(now - change.since_tsc) < 0)
		return now - since;
	return (u64)MAX((s64)(change.since_tsc - since), (s64)0);
}

/* All its vCPUs stand, and will go on. Lock held. */
static void clock_goes_on(struct vm *vm)
{
	u64 since = vm->stood.since, now = rdtsc();

	if (!since)
		return;
	now = (s64)(now - since) < 0 ? since : now;
	vm->stood.before_change += before_change(since, now);
	WRITE_ONCE(vm->stood.ticks, vm->stood.ticks + now - since);
	WRITE_ONCE(vm->stood.since, 0);
}

/* Home core: @v stands since just now */
static void timers_stand(struct vcpu *v)
{
	if (!v->vm->clock_stops)
		return;
	vlapic_stand(v);
	if (!v->id)
		vtimer_follow(v->vm);
}

/* Home core: it goes on */
static void timers_go_on(struct vcpu *v)
{
	u64 ticks = v->vm->stood.ticks - v->stood;

	if (!v->vm->clock_stops)
		return;
	v->stood += ticks;
	v->hw.tsc_offset -= ticks;
	vcpu_dirty(v, RG_CONTROL);
	vlapic_go_on(v, ticks);
	if (!v->id)
		vtimer_follow(v->vm);
}

/* --- all vCPUs --- */

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
	clock_goes_on(vm);
	count_up(vm, false);
	vm_post_all(vm, VE_PAUSE);
}

void pause_forget(struct vm *vm)
{
	vm->stood.since = 0;
	count_up(vm, false);
}

static void stand(struct vcpu *v)
{
	struct vm *vm = v->vm;

	if (v->activity != VCPU_PAUSED) {
		v->held = v->activity;
		v->activity = VCPU_PAUSED;
		timers_stand(v);
	} else {
		kept_give_back(v);
	}
	debug_disarm(v);
	kept_take(v);
	if (__atomic_sub_fetch(&vm->vcpus_to_pause, 1, __ATOMIC_SEQ_CST))
		return;
	if (vm->clock_stops)
		WRITE_ONCE(vm->stood.since, rdtsc());
	if (debug_stood(vm))
		return;
	if (vm->dynamic)
		dynamic_paused(vm);
	else
		still_stood(vm);
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
		timers_go_on(v);
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
