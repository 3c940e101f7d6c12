/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254: channel 2 with its gate for the modes, channel 0 for interrupts */
#include "tests/guest/lib/board.h"

#define VECTOR 0x61

static void gate2(bool up)
{
	outb(0x61, (u8)((inb(0x61) & 0x0c) | up));
}

static bool out2(void)
{
	return inb(0x61) & 0x20;
}

/* Read-back of the status alone */
static u8 status(u32 n)
{
	outb(0x43, (u8)(0xe0 | 2u << n));
	return inb((u16)(0x40 + n));
}

static void busy_us(u64 us)
{
	u64 end = tsc_after(us);

	while (rdtsc() < end)
		cpu_relax();
}

static void terminal_count(void)
{
	u32 a, b;

	section("82C54 data sheet, Mode 0");
	gate2(true);
	outb(0x43, 0xb0);
	check(!out2(), "pit.mode0_low_at_control_word", "");
	pit_set(2, 0x30, pit_us(2000));
	check(!out2(), "pit.mode0_low_while_counting", "");
	busy_us(2200);
	a = pit_latched(2);
	check(out2(), "pit.mode0_high_at_the_end", "");
	check(a > 0xc000, "pit.mode0_counts_on", "%x", a);
	pit_set(2, 0x30, 50000);
	gate2(false);
	a = pit_latched(2);
	busy_us(500);
	b = pit_latched(2);
	check(a == b, "pit.mode0_gate_stops", "%u %u", a, b);
	gate2(true);
	busy_us(500);
	check(pit_latched(2) < b, "pit.mode0_gate_goes_on", "");
	outb(0x42, 0x10); /* the first of two bytes */
	check(!out2() && status(2) & 0x40, "pit.mode0_first_byte_stops",
	      "status %x", status(2));
}

static void triggered(void)
{
	u32 n;

	section("82C54 data sheet, Mode 1");
	gate2(false);
	pit_set(2, 0x32, pit_us(2000));
	check(out2(), "pit.mode1_high_before_trigger", "");
	check(status(2) & 0x40, "pit.mode1_null_count_before_trigger", "%x",
	      status(2));
	gate2(true);
	busy_us(10);
	check(!out2(), "pit.mode1_low_after_trigger", "");
	check(!(status(2) & 0x40), "pit.mode1_count_loaded", "%x", status(2));
	busy_us(2200);
	check(out2(), "pit.mode1_high_at_the_end", "");
	section("82C54 data sheet, Mode 5");
	gate2(false);
	pit_set(2, 0x3a, 60000);
	busy_us(100);
	gate2(true);
	busy_us(1000);
	n = 60000 - pit_latched(2);
	check(out2() && near(n, pit_us(1000), 30), "pit.mode5_gate_starts",
	      "%u", n);
}

/* The count over some time, read by reading; false: out of range */
static bool counts_within(u32 low, u32 high, bool even)
{
	for (u32 i = 0; i < 200; i++) {
		u32 n = pit_latched(2);

		if (n < low || n > high || (even && n & 1))
			return false;
	}
	return true;
}

static void periodic(void)
{
	u32 high = 0, n;

	section("82C54 data sheet, Mode 2");
	gate2(true);
	pit_set(2, 0x34, 100);
	busy_us(10);
	check(counts_within(1, 100, false), "pit.mode2_range", "");
	pit_set(2, 0x34, 0);
	gate2(false);
	check(out2(), "pit.mode2_gate_low_is_high", "");
	gate2(true);
	busy_us(100);
	n = pit_latched(2);
	check(n > 0xf800, "pit.mode2_gate_reloads", "%x", n);
	section("82C54 data sheet, Mode 3");
	pit_set(2, 0x36, 1000);
	busy_us(10);
	check(counts_within(2, 1000, true), "pit.mode3_by_two", "");
	for (u32 i = 0; i < 400; i++) {
		high += out2();
		busy_us(7);
	}
	check(high > 100 && high < 300, "pit.mode3_half_high", "%u of 400",
	      high);
	section("82C54 data sheet, Mode 4");
	pit_set(2, 0x38, pit_us(1000));
	high = out2();
	busy_us(1500);
	n = pit_latched(2);
	check(high && out2(), "pit.mode4_high", "");
	check(n > 0xf000, "pit.mode4_counts_on", "%x", n);
}

static bool is_bcd(u32 n)
{
	for (; n; n >>= 4)
		if ((n & 15) > 9)
			return false;
	return true;
}

static void formats(void)
{
	bool bcd = true;
	u32 a, b;

	section("82C54 data sheet, Control Word Format");
	pit_set(2, 0x35, 0x9999);
	for (u32 i = 0; i < 50; i++) {
		bcd = bcd && is_bcd(pit_latched(2));
		busy_us(13);
	}
	check(bcd, "pit.bcd", "");
	outb(0x43, 0x94); /* low byte only */
	outb(0x42, 200);
	busy_us(10);
	a = inb(0x42);
	check(a >= 1 && a <= 200, "pit.low_byte_only", "%u", a);
	outb(0x43, 0xa4); /* high byte only */
	outb(0x42, 0x80);
	busy_us(100);
	a = inb(0x42);
	check(a == 0x7f || a == 0x80, "pit.high_byte_only", "%x", a);
	section("82C54 data sheet, Counter Latch Command");
	pit_set(2, 0x34, 0);
	outb(0x43, 0x80);
	busy_us(2000);
	outb(0x43, 0x80); /* the first stays */
	a = inb(0x42);
	a |= (u32)inb(0x42) << 8;
	b = pit_latched(2);
	check(a - b > pit_us(1800), "pit.latch_holds", "%x %x", a, b);
	section("82C54 data sheet, Read-Back Command");
	pit_set(2, 0x36, 5000);
	busy_us(10);
	check((status(2) & 0x3f) == 0x36, "pit.status_has_the_mode", "%x",
	      status(2));
	outb(0x43, 0xc8); /* both: the status first */
	a = inb(0x42) & 0x3f;
	b = inb(0x42);
	b |= (u32)inb(0x42) << 8;
	check(a == 0x36 && b >= 2 && b <= 5000, "pit.status_before_count",
	      "%x %x", a, b);
}

static void port61(void)
{
	u32 toggles = 0;
	u8 last;

	section("ICH9 13.7.1");
	outb(0x61, 0x0c);
	check((inb(0x61) & 0xcf) == 0x0c, "pit.port61_reads_back", "%x",
	      inb(0x61));
	outb(0x61, 0);
	last = inb(0x61);
	for (u64 end = tsc_after(3000); rdtsc() < end;) {
		u8 now = inb(0x61);

		toggles += (last ^ now) >> 4 & 1;
		last = now;
	}
	/* As fast as it is looked at, up to each 15 us */
	check(toggles > 20 && toggles <= 202, "pit.refresh_toggles", "%u",
	      toggles);
}

/* Against the TSC, over 20 ms */
static void rate(void)
{
	u64 tsc = rdtsc(), us;
	u32 count;

	section("82C54 data sheet, Clk");
	gate2(true);
	pit_set(2, 0x30, 60000);
	sleep_us(20000);
	count = 60000 - pit_latched(2);
	us = (rdtsc() - tsc) * 1000 / tsc_khz();
	check(near(count, us * PIT_HZ / 1000000, 3), "pit.rate",
	      "%u counts in %llu us", count, us);
}

static void interrupts(void)
{
	u64 n, turns = 0;

	section("82C54 data sheet, Mode 2");
	irq_handler[VECTOR] = irq_ack;
	ioapic_set(2, VECTOR);
	pit_set(0, 0x34, PIT_HZ / 1000);
	n = irq_count[VECTOR];
	sleep_us(100000);
	n = irq_count[VECTOR] - n;
	check(n >= 97 && n <= 103, "pit.ticks_at_1000_hz", "%llu in 100 ms", n);
	/* A guest that could not take them gets them afterwards, each one */
	irq_off();
	n = irq_count[VECTOR];
	busy_us(20000);
	sleep_us(80000);
	n = irq_count[VECTOR] - n;
	check(n >= 95 && n <= 105, "pit.no_tick_is_lost", "%llu in 100 ms", n);
	ioapic_set(2, IOAPIC_MASKED);
	flush_irqs(); /* a tick that came first */
	n = irq_count[VECTOR];
	sleep_us(10000);
	check(irq_count[VECTOR] == n, "pit.masked_no_ticks", "");
	ioapic_set(2, VECTOR);
	/* Faster than anybody can take: the guest goes on */
	pit_set(0, 0x34, 2);
	irq_on();
	for (u64 end = tsc_after(20000); rdtsc() < end; turns++)
		cpu_relax();
	irq_off();
	n = irq_count[VECTOR] - n;
	check(n >= 20 && n <= 500 && turns > 100, "pit.absurd_rate",
	      "%llu in 20 ms, %llu turns", n, turns);
	/* A tick of the old rate that the local APIC has accepted stays there:
	 * without the flush it is a second one, on any machine */
	section("82C54 data sheet, Mode 0");
	pit_set(0, 0x30, pit_us(5000));
	flush_irqs();
	n = irq_count[VECTOR];
	sleep_us(20000);
	check(irq_count[VECTOR] == n + 1, "pit.one_shot_once", "%llu",
	      irq_count[VECTOR] - n);
	ioapic_set(2, IOAPIC_MASKED);
}

void guest_main(void)
{
	board_start();
	terminal_count();
	triggered();
	periodic();
	formats();
	port61();
	rate();
	interrupts();
}
