/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer of a virtual device, set from any core. It lives on the core of the
 * guest's boot vCPU: a change from elsewhere is posted there (VE_VTIMER of that
 * vCPU), so that the per-core timer queues stay without locks. The callback
 * runs on that core with interrupts off and takes the device's own lock; it may
 * come once more after a vtimer_cancel() from another core, so it looks at the
 * device's state, not at having been called.
 */
#ifndef HV_TIME_VTIMER_H
#define HV_TIME_VTIMER_H

#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/timer.h"
#include "hv/core/vm.h"

struct vtimer {
	struct vm *vm;
	void (*fn)(struct vtimer *self);
	struct vtimer *next; /* of the VM's list, constant once made */
	u64 want;            /* atomic: host TSC it is to fire at; 0: never */
	struct timer timer;  /* home core only */
};

/* While the VM is built: no vCPU of it runs */
void vtimer_init(struct vtimer *t, struct vm *vm,
		 void (*fn)(struct vtimer *self));
/* Any core; callable from the callback and under the device's lock */
void vtimer_set(struct vtimer *t, u64 host_tsc);
void vtimer_cancel(struct vtimer *t);
/* The VM ends or is reset, on the home core: none fires any more until set */
void vtimer_stop_all(struct vm *vm);
/* For hv/run/event.c: VE_VTIMER was taken by the boot vCPU */
void vtimer_follow(struct vm *vm);
/* The host TSC, which tests of the devices replace */
u64 vtimer_now(void);

#endif
