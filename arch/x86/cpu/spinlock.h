/* SPDX-License-Identifier: BSD-2-Clause */
/* Ticket spinlock. The hypervisor runs with interrupts off, so a plain lock
 * is enough; each user states what it protects and its place in the order. */
#ifndef ARCH_X86_CPU_SPINLOCK_H
#define ARCH_X86_CPU_SPINLOCK_H

#include "lib/types.h"

struct spinlock {
	u16 next;
	u16 owner;
};

static inline void spin_lock(struct spinlock *l)
{
	u16 ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket)
		__builtin_ia32_pause();
}

static inline void spin_unlock(struct spinlock *l)
{
	__atomic_store_n(&l->owner, (u16)(l->owner + 1), __ATOMIC_RELEASE);
}

#endif
