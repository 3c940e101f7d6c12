/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of the board's timers: time by the TSC, a sleep that halts, the
 * 8259 pair, IOAPIC pins and the CMOS */
#ifndef TESTS_GUEST_LIB_BOARD_H
#define TESTS_GUEST_LIB_BOARD_H

#include "tests/guest/lib/guest.h"

#define SLEEP_VECTOR 0xef
#define PIC_VECTOR   0x50 /* IRQ 0 to 15 by the 8259 pair */
#define PIT_HZ       1193182

#define IOAPIC_LEVEL  0x8000u
#define IOAPIC_MASKED 0x10000u

/* By KVM's clock: ns = (ticks << shift) * mul >> 32 */
static inline u64 tsc_khz(void)
{
	static struct {
		u32 version, pad;
		u64 tsc, ns;
		u32 mul;
		s8 shift;
		u8 flags[3];
	} clock __aligned(64);
	static u64 khz;

	if (khz)
		return khz;
	wrmsr(0x4b564d01, (u64)&clock | 1);
	khz = (1000000ull << 32) / clock.mul;
	khz = clock.shift < 0 ? khz << -clock.shift : khz >> clock.shift;
	wrmsr(0x4b564d01, 0);
	return khz;
}

/* The TSC in @us microseconds from now */
static inline u64 tsc_after(u64 us)
{
	return rdtsc() + us * tsc_khz() / 1000;
}

/* Halt, with interrupts on, until the TSC is @when; others may come before */
static inline void sleep_until(u64 when)
{
	irq_handler[SLEEP_VECTOR] = irq_ack;
	wrmsr(X2APIC_LVT_TIMER, 0x40000 | SLEEP_VECTOR);
	while (rdtsc() < when) {
		wrmsr(MSR_TSC_DEADLINE, when);
		irq_wait();
	}
}

static inline void sleep_us(u64 us)
{
	sleep_until(tsc_after(us));
}

/* Let in what was on its way */
static inline void flush_irqs(void)
{
	sleep_us(300);
}

/* Halt until @vector comes, or @us went by; true: it came */
static inline bool wait_irq(u8 vector, u64 us)
{
	u64 before = irq_count[vector], end = tsc_after(us);

	irq_handler[SLEEP_VECTOR] = irq_ack;
	wrmsr(X2APIC_LVT_TIMER, 0x40000 | SLEEP_VECTOR);
	while (irq_count[vector] == before && rdtsc() < end) {
		wrmsr(MSR_TSC_DEADLINE, end);
		irq_wait();
	}
	wrmsr(MSR_TSC_DEADLINE, 0);
	return irq_count[vector] != before;
}

/* First of all: the APIC, and with "wait=MS" on the command line a rest, so
 * that guests that measure time on one core come one after the other */
static inline void board_start(void)
{
	apic_enable();
	sleep_us(cmdline_number("wait=", 0) * 1000);
}

/* Both 8259s, all masked; @icw4: 1, with 2 for automatic EOI */
static inline void pic_init(u8 icw4)
{
	outb(0x20, 0x11);
	outb(0x21, PIC_VECTOR);
	outb(0x21, 0x04);
	outb(0x21, icw4);
	outb(0xa0, 0x11);
	outb(0xa1, PIC_VECTOR + 8);
	outb(0xa1, 0x02);
	outb(0xa1, icw4);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

/* Pin @pin: vector, with IOAPIC_* and delivery mode bits, to vCPU 0 */
static inline void ioapic_set(u32 pin, u32 low)
{
	volatile u32 *io = (volatile u32 *)0xfec00000ul;

	io[0] = 0x11 + pin * 2;
	io[4] = 0;
	io[0] = 0x10 + pin * 2;
	io[4] = low;
}

static inline u8 cmos(u8 reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static inline void cmos_set(u8 reg, u8 value)
{
	outb(0x70, reg);
	outb(0x71, value);
}

/* Channel @n: control word (without the channel) and a 16-bit count */
static inline void pit_set(u32 n, u8 control, u32 count)
{
	outb(0x43, (u8)(n << 6 | control));
	outb((u16)(0x40 + n), (u8)count);
	outb((u16)(0x40 + n), (u8)(count >> 8));
}

static inline u32 pit_latched(u32 n)
{
	u32 low;

	outb(0x43, (u8)(n << 6));
	low = inb((u16)(0x40 + n));
	return low | (u32)inb((u16)(0x40 + n)) << 8;
}

static inline u32 pit_us(u64 us)
{
	return (u32)(us * PIT_HZ / 1000000);
}

/* @value within @percent of @want */
static inline bool near(u64 value, u64 want, u64 percent)
{
	u64 off = value > want ? value - want : want - value;

	return off * 100 <= want * percent;
}

#endif
