/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host interrupt vectors, see irq.h. Called by idt.asm, by the exit handler of
 * interrupts, and by whoever wants a vector.
 *
 * Lock: alloc_lock serializes those who add rows; a leaf. The hot path reads
 * without it: a row's argument is stored before its handler, in one word each.
 */
#include "arch/x86/machine/irq.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "include/hw/i8259.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"

#define VECTORS 256

struct irq_row {
	irq_handler_t fn;
	void *arg;
};

static struct irq_row rows[VECTORS];
void (*irq_begins_hook)(void);
static struct spinlock alloc_lock;

static int bind_locked(u8 vector, irq_handler_t fn, void *arg)
{
	if (rows[vector].fn)
		return -EBUSY;
	rows[vector].arg = arg;
	__atomic_store_n(&rows[vector].fn, fn, __ATOMIC_RELEASE);
	return 0;
}

int irq_bind(u8 vector, irq_handler_t fn, void *arg)
{
	int rc;

	spin_lock(&alloc_lock);
	rc = bind_locked(vector, fn, arg);
	spin_unlock(&alloc_lock);
	return rc;
}

int irq_alloc(irq_handler_t fn, void *arg)
{
	int rc = -ENOSPC;

	spin_lock(&alloc_lock);
	for (u32 v = VEC_DEVICE_FIRST; v <= VEC_DEVICE_LAST; v++) {
		if (bind_locked((u8)v, fn, arg) == 0) {
			rc = (int)v;
			break;
		}
	}
	spin_unlock(&alloc_lock);
	return rc;
}

static void unexpected(u8 vector)
{
	static struct ratelimit limit;

	if (ratelimit_pass(&limit, rdtsc(), ns_to_tsc(NS_PER_S), 8))
		log_warn("irq", "interrupt %#x that nobody asked for", vector);
}

void irq_dispatch(u8 vector)
{
	const struct irq_row *row = &rows[vector];
	irq_handler_t fn = __atomic_load_n(&row->fn, __ATOMIC_ACQUIRE);

	if (unlikely(irq_begins_hook))
		irq_begins_hook();
	if (likely(fn))
		fn(row->arg);
	else if (vector != VEC_SPURIOUS)
		unexpected(vector);
	if (likely(vector != VEC_SPURIOUS))
		lapic_eoi();
}

void irq_poll(void)
{
	struct pcpu *cpu = this_cpu();

	if (cpu->unload_guest)
		cpu->unload_guest(cpu);
	/* STI opens the window behind the next instruction */
	__asm__ volatile("sti; nop; cli" ::: "memory");
}

#define MASTER_DATA  (PIC_MASTER_PORT + PIC_DATA)
#define SLAVE_DATA   (PIC_SLAVE_PORT + PIC_DATA)
#define PIC_MASK_ALL 0xff

/* Mask both, and move their vectors: even then a spurious interrupt may come */
static void pic_disable(void)
{
	static const struct {
		u16 port;
		u8 value;
	} steps[] = {
		{ MASTER_DATA, PIC_MASK_ALL },
		{ SLAVE_DATA, PIC_MASK_ALL },
		{ PIC_MASTER_PORT, ICW1_INIT | ICW1_IC4 },
		{ MASTER_DATA, VEC_PIC_SPURIOUS },
		{ MASTER_DATA, 1 << PIC_CASCADE },
		{ MASTER_DATA, ICW4_8086 },
		{ PIC_SLAVE_PORT, ICW1_INIT | ICW1_IC4 },
		{ SLAVE_DATA, VEC_PIC_SPURIOUS + 8 },
		{ SLAVE_DATA, PIC_CASCADE },
		{ SLAVE_DATA, ICW4_8086 },
		{ MASTER_DATA, PIC_MASK_ALL },
		{ SLAVE_DATA, PIC_MASK_ALL },
	};

	for (u32 i = 0; i < ARRAY_SIZE(steps); i++)
		outb(steps[i].port, steps[i].value);
}

static void timer_interrupt(void *arg)
{
	timer_run();
}

static void kick_interrupt(void *arg)
{
	smp_take_call();
}

static void error_interrupt(void *arg)
{
	lapic_log_error();
}

void irq_init(void)
{
	static const struct {
		u8 vector;
		irq_handler_t fn;
	} own[] = {
		{ VEC_TIMER, timer_interrupt },
		{ VEC_KICK, kick_interrupt },
		{ VEC_ERROR, error_interrupt },
	};

	pic_disable();
	for (u32 i = 0; i < ARRAY_SIZE(own); i++)
		if (irq_bind(own[i].vector, own[i].fn, NULL))
			panic("irq: vector %#x is taken", own[i].vector);
}
