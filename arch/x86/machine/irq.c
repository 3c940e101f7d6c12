/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dispatch of host interrupts, see irq.h. Called by idt.asm and by the exit
 * handler of interrupts. No lock: a core reads its own table, which
 * arch/x86/machine/vectors.c fills.
 */
#include "arch/x86/machine/irq.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "include/hw/i8259.h"
#include "lib/assert.h"
#include "lib/log.h"

void (*irq_begins_hook)(u8 vector);

/* Out of irq_dispatch(), which then saves fewer registers */
static __attribute__((noinline)) void unexpected(u8 vector)
{
	static struct ratelimit limit;

	if (vector == VEC_SPURIOUS)
		return;
	if (ratelimit_pass(&limit, rdtsc(), ns_to_tsc(NS_PER_S), 8))
		log_warn("irq", "interrupt %#x that nobody asked for", vector);
	lapic_eoi();
}

void irq_dispatch(u8 vector)
{
	void (*hook)(u8 vector) = READ_ONCE(irq_begins_hook);
	struct irq *irq;

	if (unlikely(hook))
		hook(vector);
	irq = READ_ONCE(this_cpu()->vectors.irq[vector]);
	if (unlikely(!irq)) {
		unexpected(vector);
		return;
	}
	irq->fn(irq);
	lapic_eoi();
}

void irq_poll(void)
{
	struct pcpu *cpu = this_cpu();

	if (cpu->unload_guest)
		cpu->unload_guest(cpu);
	irq_window();
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

static void timer_interrupt(struct irq *self)
{
	timer_run();
}

static void kick_interrupt(struct irq *self)
{
	smp_take_call();
}

static void error_interrupt(struct irq *self)
{
	lapic_log_error();
}

void irq_init(void)
{
	static struct {
		u8 vector;
		struct irq irq;
	} own[] = {
		{ VEC_TIMER, { timer_interrupt } },
		{ VEC_KICK, { kick_interrupt } },
		{ VEC_ERROR, { error_interrupt } },
	};

	pic_disable();
	for (u32 i = 0; i < ARRAY_SIZE(own); i++)
		if (irq_bind(own[i].vector, &own[i].irq))
			panic("irq: vector %#x is taken", own[i].vector);
}
