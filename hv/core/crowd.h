/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many vCPUs of a guest are in its devices at a time. Devices have locks,
 * which cores wait for with interrupts off, each for all that came before it. A
 * holder may need 45 us, as whoever finds a PCI function does, and a guest may
 * have 1,024 vCPUs that want the lock at once. So only a few enter. One that
 * finds a crowd leaves its instruction undone (VERDICT_RESUME), or its event
 * set, and comes again once its core has looked at its timer and its queue.
 *
 * Nobody waits in here, so those within get out, and of those that try one gets
 * in: somebody always makes progress. A vCPU that is in may enter once more.
 *
 * A guest with no more vCPUs than may be in is not counted: its exits touch no
 * line for this. Nor are exits that reach no device's lock: of the LAPIC, HLT,
 * CPUID, MSRs, and bus_region.lockless. Home core of a vCPU; no lock.
 */
#ifndef HV_CORE_CROWD_H
#define HV_CORE_CROWD_H

#include "hv/core/vm.h"

/* Each waits for one other; both together stay below STRETCH_MAX_US */
#define CROWD_PRIVILEGED 2u
/* Virtual devices are done in a few us */
#define CROWD_ISOLATED 8u

static inline u32 crowd_most(const struct vm *vm)
{
	return vm->privileged ? CROWD_PRIVILEGED : CROWD_ISOLATED;
}

/* Could there be one? Constant while the guest runs. */
static inline bool crowd_possible(const struct vm *vm)
{
	return vm->vcpu_count > crowd_most(vm);
}

/* True: the vCPU is in, and the caller ends it by crowd_leave(). False: there
 * is a crowd, or another came or went at the same moment. */
static inline bool __must_check crowd_enter(struct vm *vm)
{
	u32 in;

	if (likely(!crowd_possible(vm)))
		return true;
	in = READ_ONCE(vm->crowd);
	return in < crowd_most(vm) &&
	       __atomic_compare_exchange_n(&vm->crowd, &in, in + 1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void crowd_leave(struct vm *vm)
{
	if (unlikely(crowd_possible(vm)))
		__atomic_fetch_sub(&vm->crowd, 1, __ATOMIC_RELEASE);
}

#endif
