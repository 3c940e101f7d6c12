/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer of a virtual device, set from any core. It lives on the home core of
 * the guest's boot vCPU. A change from elsewhere is posted there (VE_VTIMER of
 * that vCPU), so that the per-core timer queues stay without locks.
 *
 * The callback runs on that core with interrupts off, and takes the device's
 * own lock. After a vtimer_cancel() from another core it may come once more, so
 * it looks at the device's state, not at having been called.
 *
 * Its time is the guest's: host TSC ticks but for those in which the guest
 * stood and its clock did, too (hv/vm/pause.h). Meanwhile it does not fire. A
 * timer of wall time goes on.
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
	bool wall;           /* constant: a time of vtimer_wall() */
	u64 want;            /* atomic: when it fires; 0: never */
	struct timer timer;  /* home core only */
};

/* Make a timer that is not set; @fn is its callback. While the VM is built: no
 * vCPU of it runs. @t lives as long as the VM. */
void vtimer_init(struct vtimer *t, struct vm *vm,
		 void (*fn)(struct vtimer *self));
/* Fire once at @time, at once if that is past; a new time replaces the old.
 * Cancel: not any more. Any core; from the callback, too, and under the
 * device's lock. */
void vtimer_set(struct vtimer *t, u64 time);
void vtimer_cancel(struct vtimer *t);
/* Cancel all of @vm's: none fires until it is set again. When the VM ends or is
 * reset, on the boot vCPU's home core. */
void vtimer_stop_all(struct vm *vm);
/* Arm all of @vm's as they were set from other cores, and as its clock goes or
 * stands. The boot vCPU's home core, when that takes VE_VTIMER, stands or goes
 * on. */
void vtimer_follow(struct vm *vm);
/* @v, of any guest, has the core: if it is a boot vCPU, its guest's timers that
 * expired meanwhile fire. Its home core, by the run loop. */
void vtimer_taken(struct vcpu *v);
/* @vm's time now, and that of the wall, which is the host's TSC; tests of the
 * devices replace both. Any core: another's may be some ticks ahead. Of a guest
 * whose clock stands with it, not while that changes: from its exits and
 * timers, or where all its vCPUs are known to stand. */
u64 vtimer_now(const struct vm *vm);
u64 vtimer_wall(void);

#endif
