/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device timers (vtimer.h). A timer's wish is one word that any core may write;
 * its struct timer is touched by the home core of the boot vCPU only, which
 * brings the one in step with the other: at once when the wish is made there,
 * else when the boot vCPU takes VE_VTIMER. Nothing is armed while the boot vCPU
 * is parked, so that a timer never outlives its guest. No locks.
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

/* Home core: arm for what is wanted now */
static void follow(struct vtimer *t)
{
	u64 want = __atomic_load_n(&t->want, __ATOMIC_SEQ_CST);

	if (boot_vcpu(t->vm)->activity == VCPU_PARKED)
		return;
	if (!want)
		timer_cancel(&t->timer);
	else if (!t->timer.armed || t->timer.deadline != want)
		timer_arm(&t->timer, want);
}

/* The wish may have moved since it was armed: cancelled, or later */
static void expired(struct timer *timer)
{
	struct vtimer *t = container_of(timer, struct vtimer, timer);
	u64 want = __atomic_load_n(&t->want, __ATOMIC_SEQ_CST);

	if (!want)
		return;
	if (want > timer->deadline) {
		follow(t);
		return;
	}
	/* Set anew in between: its VE_VTIMER is on the way, or it was here */
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

void vtimer_set(struct vtimer *t, u64 host_tsc)
{
	__atomic_store_n(&t->want, host_tsc ? host_tsc : 1, __ATOMIC_SEQ_CST);
	if (on_home_core(t->vm))
		follow(t);
	else
		vcpu_post(boot_vcpu(t->vm), VE_VTIMER);
}

/* Elsewhere than at home the armed timer is left: it finds no wish */
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

void vtimer_follow(struct vm *vm)
{
	for (struct vtimer *t = vm->vtimers; t; t = t->next)
		follow(t);
}

u64 vtimer_now(void)
{
	return rdtsc();
}
