/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that asks for as many interrupts as it can think of; what it costs is
 * to be its own affair (tests/guest/witness.c, beside it, has its timer on
 * time). The command line says what, with how many vCPUs and for how long:
 * `timers vcpus=8 ms=300`, `messages vcpus=4 ms=300`.
 */
#include "tests/guest/lib/board.h"

#define V_PIT    0x61
#define V_RTC    0x62
#define V_HPET   0x63 /* and 2 more */
#define V_TIMER  0x68
#define V_OTHERS 0x69
#define V_IPI    0x6a
#define V_BEGIN  0x6b

#define PERIODIC  0x20000u
#define HPET      0xfed00000ul
#define PIN_PIT   2
#define PIN_RTC   8
#define PIN_HPET  20
#define RATE_MAX  20u /* a millisecond: docs/board.md */
#define ICR_FIXED 0x4000u
#define ICR_NMI   0x4400u
#define ICR_INIT  0x4500u
#define ICR_SIPI  0x4608u /* the page that ap_start() has filled */
#define ALL       0x80000u
#define ALL_BUT   0xc0000u

static u32 count;
static volatile u64 starts, storm_end;
static volatile bool running;

static void end_of_interrupt(struct trap_frame *f)
{
	wrmsr(X2APIC_EOI, 0);
}

static void on_nmi(struct trap_frame *f)
{
}

/* The shortest period there is */
static void own_timer(u32 vector)
{
	wrmsr(X2APIC_TDCR, 0xb);
	wrmsr(X2APIC_LVT_TIMER, PERIODIC | vector);
	wrmsr(X2APIC_TMICT, 1);
}

/* All begin together, by a message */
static void on_begin(struct trap_frame *f)
{
	end_of_interrupt(f);
	own_timer(V_OTHERS);
	running = true;
}

static void ap_timer(void)
{
	while (!running)
		irq_wait();
	irq_on();
	for (;;)
		;
}

/* --- every timer of the board at its fastest --- */

static void set_hpet(u32 reg, u64 value)
{
	*(volatile u64 *)(HPET + reg) = value;
}

static void board_storm(void)
{
	ioapic_set(PIN_PIT, V_PIT);
	pit_set(0, 0x34, 2);
	ioapic_set(PIN_RTC, V_RTC);
	cmos_set(0xa, 0x23); /* 8192 Hz */
	cmos_set(0xb, 0x42);
	for (u32 i = 0; i < 3; i++) {
		ioapic_set(PIN_HPET + i, V_HPET + i);
		set_hpet(0x100 + 0x20 * i, 0x4c | (PIN_HPET + i) << 9);
		set_hpet(0x108 + 0x20 * i, 1);
	}
	set_hpet(0x10, 1);
}

static void board_calm(void)
{
	wrmsr(X2APIC_TMICT, 0);
	set_hpet(0x10, 0);
	pit_set(0, 0x30, 0);
	cmos_set(0xb, 0x02);
}

/* On a slow CPU nothing but handlers may get to run: they end it */
static void on_board(struct trap_frame *f)
{
	if (storm_end && rdtsc() >= storm_end) {
		board_calm();
		storm_end = 0;
	}
	end_of_interrupt(f);
}

static void on_rtc(struct trap_frame *f)
{
	(void)cmos(0xc);
	on_board(f);
}

/* Not how few: on a slow CPU the ones above it leave it no time */
static void rate(u32 vector, u64 ms, const char *name)
{
	u64 n = irq_count[vector];

	check(n <= ms * RATE_MAX + RATE_MAX, name, "%llu in %llu ms", n, ms);
}

/* Interrupts on, for so long; how long it was */
static u64 endure(u64 ms)
{
	u64 from = rdtsc();

	storm_end = tsc_after(ms * 1000);
	irq_on();
	while (storm_end)
		;
	irq_off();
	return (rdtsc() - from) / tsc_khz();
}

static void timers(u64 ms)
{
	static const u8 vectors[] = { V_PIT, V_HPET, V_HPET + 1, V_HPET + 2,
				      V_TIMER };

	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++)
		irq_handler[vectors[i]] = on_board;
	irq_handler[V_OTHERS] = end_of_interrupt;
	irq_handler[V_RTC] = on_rtc;
	irq_handler[V_BEGIN] = on_begin;
	for (u32 i = 1; i < count; i++)
		starts += ap_start(i, ap_timer);
	section("SDM 3A 11.5.4");
	check(starts == count - 1, "storm.all_start", "%llu", starts);
	wrmsr(X2APIC_ICR, ALL_BUT | ICR_FIXED | V_BEGIN);
	board_storm();
	own_timer(V_TIMER);
	ms = endure(ms);
	rate(V_TIMER, ms, "storm.lapic_rate");
	section("docs/board.md Clocks and power");
	rate(V_PIT, ms, "storm.pit_rate");
	rate(V_HPET, ms, "storm.hpet_rate");
	rate(V_RTC, ms, "storm.rtc_rate");
}

/* --- messages from each to each --- */

/* To all, to ourselves, an NMI to the one that does not start again (whoever
 * does has no table for it yet), and to one more a start from nothing */
static void send_all(u32 me)
{
	static volatile u32 turn;
	u64 other = 1 + __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) %
				(count - 1);

	wrmsr(X2APIC_ICR, ALL | ICR_FIXED | V_IPI);
	wrmsr(X2APIC_ICR, ICR_NMI);
	wrmsr(X2APIC_SELF_IPI, V_IPI);
	if (other == me)
		return;
	wrmsr(X2APIC_ICR, other << 32 | ICR_INIT);
	wrmsr(X2APIC_ICR, other << 32 | ICR_SIPI);
}

static void ap_messages(void)
{
	u32 me = (u32)rdmsr(X2APIC_ID);

	__atomic_fetch_add(&starts, 1, __ATOMIC_RELAXED);
	irq_on();
	for (;;)
		send_all(me);
}

static void messages(u64 ms)
{
	u64 end;

	irq_handler[2] = on_nmi;
	irq_handler[V_IPI] = end_of_interrupt;
	for (u32 i = 1; i < count; i++)
		ap_start(i, ap_messages);
	end = tsc_after(ms * 1000);
	irq_on();
	while (rdtsc() < end)
		send_all(0);
	irq_off();
	for (u32 i = 1; i < count; i++) /* they wait for a start-up */
		wrmsr(X2APIC_ICR, (u64)i << 32 | ICR_INIT);
	section("SDM 3A 8.4.3");
	check(starts > count, "storm.init_and_start_again", "%llu", starts);
	section("SDM 3A 11.6");
	check(irq_count[V_IPI] > count, "storm.messages", "%llu",
	      irq_count[V_IPI]);
	section("SDM 3A 6.7.1");
	check(irq_count[2] > count, "storm.nmis", "%llu", irq_count[2]);
}

void guest_main(void)
{
	u64 ms = cmdline_number("ms=", 100);

	count = (u32)cmdline_number("vcpus=", 2);
	apic_enable();
	if (cmdline_has("timers"))
		timers(ms);
	else
		messages(ms);
}
