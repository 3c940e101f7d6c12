/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device timers; see vtimer.h. A timer's wish is one word that any core may
 * write. Its struct timer is touched by the boot vCPU's home core alone. It
 * follows the wish at once if that is made there, else when the boot vCPU takes
 * VE_VTIMER. While the boot vCPU is parked nothing is armed, so that a timer
 * never outlives its guest. No locks.
 *
 * A timer that expires while another guest has the core rests until the boot
 * vCPU's turn: one interrupt a turn is what it can cost the other. A boot vCPU
 * that halts is woken.
 */
#include "hv/time/vtimer.h"

#include "arch/x86/machine/tsc.h"
#include "hv/core/vcpu.h"

static struct vcpu *boot_vcpu(const struct vm *vm)
{
	return vm->vcpus[0];
}

static bool on_home_core(const struct vm *vm)
{
	return boot_vcpu(vm)->entity.cpu == this_cpu();
}

/* The host TSC at which the guest's time is @want */
static u64 host_time(const struct vtimer *t, u64 want)
{
	return t->wall ? want : want + t->vm->stood.ticks;
}

/* Home core: its clock stands with the guest */
static bool stands(const struct vtimer *t)
{
	return t->vm->clock_stops && !t->wall &&
	       boot_vcpu(t->vm)->activity == VCPU_PAUSED;
}

/* Home core: arm for what is wanted now */
static void follow(struct vtimer *t)
{
	u64 want = __atomic_load_n(&t->want, __ATOMIC_SEQ_CST);

	if (boot_vcpu(t->vm)->activity == VCPU_PARKED)
		return;
	if (!want || stands(t))
		timer_cancel(&t->timer);
	else if (!timer_armed(&t->timer) ||
		 t->timer.deadline != host_time(t, want))
		timer_arm(&t->timer, host_time(t, want));
}

/* Another guest has the core and the boot vCPU waits for its turn: it could
 * take nothing before that, and the other pays for nothing */
static bool rests(const struct vm *vm)
{
	const struct vcpu *current = this_cpu()->current;

	return current && current->vm != vm &&
	       !sched_is_blocked(&boot_vcpu(vm)->entity);
}

/* The wish may have moved since it was armed: cancelled, or later */
static void expired(struct timer *timer)
{
	struct vtimer *t = container_of(timer, struct vtimer, timer);
	u64 want = __atomic_load_n(&t->want, __ATOMIC_SEQ_CST);

	if (!want)
		return;
	if (host_time(t, want) > timer->deadline) {
		follow(t);
		return;
	}
	if (rests(t->vm)) {
		t->vm->vtimers_rest = true;
		return;
	}
	/* If it is set anew in between, that core's VE_VTIMER is on its way */
	if (__atomic_compare_exchange_n(&t->want, &want, 0, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		t->fn(t);
}

void vtimer_init(struct vtimer *t, struct vm *vm,
		 void (*fn)(struct vtimer *self))
{
	*t = (struct vtimer){ .vm = vm, .fn = fn, .next = vm->vtimers };
	t->timer.fn = expired;
	vm->vtimers = t;
}

void vtimer_set(struct vtimer *t, u64 time)
{
	__atomic_store_n(&t->want, time ? time : 1, __ATOMIC_SEQ_CST);
	if (on_home_core(t->vm))
		follow(t);
	else
		vcpu_post(boot_vcpu(t->vm), VE_VTIMER);
}

/* On another core the armed timer is left alone: it will find no wish */
void vtimer_cancel(struct vtimer *t)
{
	__atomic_store_n(&t->want, 0, __ATOMIC_SEQ_CST);
	if (on_home_core(t->vm))
		follow(t);
}

void vtimer_stop_all(struct vm *vm)
{
	for (struct vtimer *t = vm->vtimers; t; t = t->next) {
		__atomic_store_n(&t->want, 0, __ATOMIC_SEQ_CST);
		timer_cancel(&t->timer);
	}
}

void vtimer_taken(struct vcpu *v)
{
	if (likely(!v->vm->vtimers_rest) || v->id)
		return;
	v->vm->vtimers_rest = false;
	vtimer_follow(v->vm);
}

void vtimer_follow(struct vm *vm)
{
	for (struct vtimer *t = vm->vtimers; t; t = t->next)
		follow(t);
}

u64 vtimer_now(const struct vm *vm)
{
	u64 since = READ_ONCE(vm->stood.since);

	return (since ? since : rdtsc()) - READ_ONCE(vm->stood.ticks);
}

u64 vtimer_wall(void)
{
	return rdtsc();
}
