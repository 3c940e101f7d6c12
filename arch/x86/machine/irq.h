/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host interrupt vectors. An interrupt reaches irq_dispatch() in two ways:
 * through the IDT (idle loop, irq_poll()), and by its number from the exit that
 * has acknowledged it (VMX).
 *
 * Each core has vectors of its own: the same number may be one device's on this
 * core and another's on the next. There are three kinds.
 *
 * - Of all cores: irq_bind(), irq_alloc(). The number stays, whatever core the
 *   source is aimed at. For the hypervisor's own; for IOAPIC pins, since an EOI
 *   ends whatever has the same number at any IOAPIC (ICH9, 13.5.5 *EOI
 *   Register*); for sources whose number cannot be changed in one step.
 * - Of one core: irq_place(), irq_retire(). For messages.
 * - Shared: irq_share(), when the others are taken. An arrival is taken for one
 *   of each source that shares the vector.
 *
 * A handler runs on the core that took the interrupt, with interrupts off, so
 * it is short. It may take locks, because interrupts come in only where the
 * core holds none.
 */
#ifndef ARCH_X86_MACHINE_IRQ_H
#define ARCH_X86_MACHINE_IRQ_H

#include "lib/types.h"

struct pcpu;

enum host_vector {
	VEC_PIC_SPURIOUS = 0x20, /* ..0x2f: masked 8259, never expected */
	VEC_DEVICE_FIRST = 0x30, /* of all cores, from here up */
	VEC_CORE_FIRST = 0x40,   /* of one core, down to here */
	VEC_DEVICE_LAST = 0xdf,
	VEC_SHARED_FIRST = 0xe0,
	VEC_SHARED_LAST = 0xe7,
	VEC_TIMER = 0xef,
	VEC_KICK = 0xf0, /* leave guest mode or HLT, and look */
	VEC_ERROR = 0xfe,
	VEC_SPURIOUS = 0xff,
};

/* Sources that one vector may be shared by: an arrival calls them all */
#define IRQ_SHARE_MAX 32u

/* A source of interrupts, embedded in what its handler works on. It stays
 * where it is for good, since an interrupt may be in flight. */
struct irq {
	void (*fn)(struct irq *self);
};

/* Masks both 8259s for good, with their vectors away from the exceptions', and
 * binds the hypervisor's own vectors. Boot CPU, once. 8259A *Initialization
 * Command Words*. */
void irq_init(void);
/* Gives @cpu, which takes no interrupts yet, the vectors of all cores. Nothing
 * is bound meanwhile. */
void irq_init_cpu(struct pcpu *cpu);
/* NULL, or called at the begin of irq_dispatch(): for measuring. May change at
 * any time. */
extern void (*irq_begins_hook)(u8 vector);
/* Calls the handler of @vector, which this core has accepted, and sends the EOI
 * (not for VEC_SPURIOUS). Interrupts off; no lock held that a handler takes. */
void irq_dispatch(u8 vector);
/* Lets this core take the interrupts that are pending, and returns with
 * interrupts off. Gives the core its own state back first (pcpu.unload_guest).
 * No lock held that a handler takes. */
void irq_poll(void);
/* Its part where the core has its own state: the window that STI opens begins
 * behind the next instruction */
static inline void irq_window(void)
{
	__asm__ volatile("sti; nop; cli" ::: "memory");
}

/* All below: any core, each takes a leaf lock. */

/* Binds @irq to @vector on all cores, for good. -EBUSY: it has a handler. */
int __must_check irq_bind(u8 vector, struct irq *irq);
/* Binds @irq to a vector that is free on all cores, for good, and returns it.
 * -ENOSPC: there is none. */
int __must_check irq_alloc(struct irq *irq);
/*
 * Binds @irq to a vector of @cpu and returns it. A vector that it has there and
 * that is only retired is taken back; vectors on other cores stay.
 * -ENOSPC: all of @cpu are taken.
 */
int __must_check irq_place(struct irq *irq, struct pcpu *cpu);
/*
 * The hardware sends @vector of irq_place() no more. It stays bound until it
 * cannot come any more: @cpu looks twice, 10 ms apart, and finds it not
 * requested.
 */
void irq_retire(struct pcpu *cpu, u8 vector);
/* PCPU_VECTORS: this core begins to look for retired vectors to free. No lock
 * held; interrupts off. */
void irq_look_for_retired(void);
/* Are all vectors taken that irq_place() could give? No lock. */
bool irq_core_is_full(const struct pcpu *cpu);
/* Whose @vector of @cpu is: the @member-th of those that share it, below
 * IRQ_SHARE_MAX; NULL: nobody's. No lock: what it gives stays where it is. */
struct irq *irq_bound(const struct pcpu *cpu, u8 vector, u32 member);
/* How many vectors have an owner, each core's counted; and how often that has
 * changed. */
u32 irq_bound_count(void);
u64 irq_changes(void);
/* Binds @irq to a shared vector of all cores, and returns it. -ENOSPC: each has
 * IRQ_SHARE_MAX already. */
int __must_check irq_share(struct irq *irq);
/* Ends that. A call of @irq may be under way. */
void irq_unshare(struct irq *irq, u8 vector);

#endif
