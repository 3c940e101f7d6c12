/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host interrupt vectors. An interrupt reaches irq_dispatch() in two ways:
 * through the IDT (idle loop, irq_poll()), and by its number from the exit that
 * has acknowledged it (VMX).
 *
 * A handler runs on the core that took the interrupt, with interrupts off, so
 * it is short. It may take locks, because interrupts come in only where the
 * core holds none.
 */
#ifndef ARCH_X86_MACHINE_IRQ_H
#define ARCH_X86_MACHINE_IRQ_H

#include "lib/types.h"

enum host_vector {
	VEC_PIC_SPURIOUS = 0x20, /* ..0x2f: masked 8259, never expected */
	VEC_DEVICE_FIRST = 0x30, /* IOAPIC pins and MSIs of guests, UART */
	VEC_DEVICE_LAST = 0xdf,
	VEC_TIMER = 0xef,
	VEC_KICK = 0xf0, /* leave guest mode or HLT, and look */
	VEC_ERROR = 0xfe,
	VEC_SPURIOUS = 0xff,
};

typedef void (*irq_handler_t)(void *arg);

/* Masks both 8259s for good, with their vectors away from the exceptions', and
 * binds the hypervisor's own vectors. Boot CPU, once. 8259A *Initialization
 * Command Words*. */
void irq_init(void);
/* Binds @fn to @vector for good, on all cores. Any core; takes a leaf lock.
 * -EBUSY: it has a handler. */
int __must_check irq_bind(u8 vector, irq_handler_t fn, void *arg);
/* Binds @fn to a free device vector, for good, and returns it. Any core; takes
 * a leaf lock. -ENOSPC: there is none. */
int __must_check irq_alloc(irq_handler_t fn, void *arg);
/* NULL, or called at the begin of irq_dispatch(): for measuring. Set once, on
 * the boot CPU. */
extern void (*irq_begins_hook)(void);
/* Calls the handler of @vector, which this core has accepted, and sends the EOI
 * (not for VEC_SPURIOUS). Interrupts off; no lock held that a handler takes. */
void irq_dispatch(u8 vector);
/* Lets this core take the interrupts that are pending, and returns with
 * interrupts off. Gives the core its own state back first (pcpu.unload_guest).
 * No lock held that a handler takes. */
void irq_poll(void);

#endif
