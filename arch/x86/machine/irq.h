/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host interrupt vectors. irq_dispatch() is reached two ways: through the IDT
 * (idle loop, SVM after STGI) and by vector number (VMX acknowledges on exit).
 * Handlers run with interrupts off and must be short; irq_dispatch() sends the
 * LAPIC EOI after the handler, except for VEC_SPURIOUS.
 */
#ifndef ARCH_X86_MACHINE_IRQ_H
#define ARCH_X86_MACHINE_IRQ_H

#include "lib/types.h"

enum host_vector {
	VEC_PIC_SPURIOUS = 0x20, /* ..0x2f: masked 8259, never expected */
	VEC_DEVICE_FIRST = 0x30, /* IOAPIC pins and MSIs of guests, UART */
	VEC_DEVICE_LAST = 0xdf,
	VEC_TIMER = 0xef,
	VEC_KICK = 0xf0, /* only makes the target leave guest mode or HLT */
	VEC_ERROR = 0xfe,
	VEC_SPURIOUS = 0xff,
};

typedef void (*irq_handler_t)(void *arg);

/* Boot CPU: mask both 8259s for good, away from the exceptions' vectors */
void irq_init(void);
/* Bind a handler; -EBUSY if taken. Any core, before or after SMP bring-up */
int __must_check irq_bind(u8 vector, irq_handler_t fn, void *arg);
/* Take a free device vector, or -ENOSPC */
int __must_check irq_alloc(irq_handler_t fn, void *arg);
void irq_dispatch(u8 vector);
/* Open the interrupt window so that what is pending is taken, then close it */
void irq_poll(void);

#endif
