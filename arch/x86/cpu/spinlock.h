/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticket spinlock: cores get it in the order in which they come. All zero is
 * free. The hypervisor runs with interrupts off and handlers do not nest, so
 * that no core interrupts itself while it holds one. Each user states what its
 * lock protects and its place in the order.
 */
#ifndef ARCH_X86_CPU_SPINLOCK_H
#define ARCH_X86_CPU_SPINLOCK_H

#include "lib/types.h"

struct spinlock {
	u16 next;
	u16 owner;
};

/* Waits for @l, which this core does not hold. Any core, interrupts off. */
static inline void spin_lock(struct spinlock *l)
{
	u16 ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket)
		__builtin_ia32_pause();
}

/* Gives @l to the next. This core holds it. */
static inline void spin_unlock(struct spinlock *l)
{
	__atomic_store_n(&l->owner, (u16)(l->owner + 1), __ATOMIC_RELEASE);
}

#endif
