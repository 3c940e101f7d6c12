/* SPDX-License-Identifier: BSD-2-Clause */
/* The MC146818 and its RAM. Seconds are long in an emulator: few pass here, and
 * the guest halts meanwhile. */
#include "tests/guest/lib/board.h"

#define VECTOR 0x62
#define REG_A  0x0a
#define REG_B  0x0b
#define REG_C  0x0c
#define REG_D  0x0d

static volatile u64 came_at;

static void on_irq(struct trap_frame *f)
{
	came_at = rdtsc();
	wrmsr(X2APIC_EOI, 0);
}

static bool bcd_in(u8 v, u32 low, u32 high)
{
	u32 n = (v >> 4) * 10u + (v & 15);

	return (v & 15) < 10 && n >= low && n <= high;
}

static void ram(void)
{
	u32 kib;

	section("MC146818A, Register D");
	check(cmos(REG_D) == 0x80, "rtc.ram_is_valid", "%x", cmos(REG_D));
	section("MC146818A, RAM");
	cmos_set(0x41, 0x5a);
	cmos_set(0x42, 0xa5);
	check(cmos(0x41) == 0x5a && cmos(0x42) == 0xa5, "rtc.ram_keeps", "");
	section("ICH9 13.7.2");
	check(cmos(0xc1) == 0x5a, "rtc.nmi_bit_is_no_index", "%x", cmos(0xc1));
	section("QEMU, CMOS memory map");
	kib = cmos(0x15) | (u32)cmos(0x16) << 8;
	check(kib == 640, "rtc.base_memory", "%u KiB", kib);
	kib = cmos(0x17) | (u32)cmos(0x18) << 8;
	check(kib == 15 * 1024, "rtc.extended_memory", "%u KiB", kib);
	kib = cmos(0x34) | (u32)cmos(0x35) << 8;
	check(kib == 0, "rtc.memory_above_16m", "%u", kib);
	check(cmos(0x5f) == 0, "rtc.cpus_less_one", "%u", cmos(0x5f));
}

static void formats(void)
{
	u8 hour24, hour12, b = cmos(REG_B);
	u32 n;

	section("MC146818A, Time, Calendar, and Alarm Locations");
	check(bcd_in(cmos(0), 0, 59) && bcd_in(cmos(2), 0, 59) &&
		      bcd_in(cmos(4), 0, 23) && bcd_in(cmos(6), 1, 7) &&
		      bcd_in(cmos(7), 1, 31) && bcd_in(cmos(8), 1, 12) &&
		      bcd_in(cmos(9), 0, 99),
	      "rtc.time_is_bcd", "");
	check(cmos(0x32) >= 0x19, "rtc.century", "%x", cmos(0x32));
	section("MC146818A, Register B, DM");
	cmos_set(4, 0x23);
	cmos_set(REG_B, (u8)(b | 4));
	check(cmos(4) == 23, "rtc.binary", "%x", cmos(4));
	section("MC146818A, Register B, 24/12");
	cmos_set(REG_B, b);
	hour24 = cmos(4);
	cmos_set(REG_B, (u8)(b & ~2u));
	hour12 = cmos(4);
	check(hour24 == 0x23 && hour12 == 0x91, "rtc.11_pm", "%x %x", hour24,
	      hour12);
	cmos_set(4, 0x12); /* 12 AM */
	cmos_set(REG_B, b);
	check(cmos(4) == 0, "rtc.12_am_is_0", "%x", cmos(4));
	section("MC146818A, Register C");
	n = cmos(REG_C);
	check(!(cmos(REG_C) & 0x40), "rtc.flags_clear_when_read", "%x", n);
}

static void periodic(void)
{
	u64 start, ms;
	u32 n = 0;

	section("MC146818A, Periodic Interrupt Selection");
	irq_handler[VECTOR] = on_irq;
	ioapic_set(8, VECTOR);
	cmos_set(REG_A, 0x26); /* 1024 Hz */
	cmos_set(REG_B, 0x42);
	cmos(REG_C);
	start = rdtsc();
	while (n < 50 && wait_irq(VECTOR, 100000)) {
		cmos(REG_C);
		n++;
	}
	check(n == 50, "rtc.periodic_comes", "%u", n);
	ms = (rdtsc() - start) / tsc_khz();
	/* More if others have the core: what is not read in time is lost */
	check(ms >= 47 && ms < 100, "rtc.periodic_rate", "%llu ms for 50", ms);
	section("MC146818A, Register C, IRQF");
	check(wait_irq(VECTOR, 10000), "rtc.periodic_once_more", "");
	n = (u32)irq_count[VECTOR];
	sleep_us(10000);
	check(irq_count[VECTOR] == n, "rtc.irqf_holds_the_line", "");
	n = cmos(REG_C);
	check((n & 0xc0) == 0xc0, "rtc.irqf_and_pf", "%x", n);
	check(wait_irq(VECTOR, 10000), "rtc.read_frees_the_line", "");
	section("MC146818A, Register B, PIE");
	cmos_set(REG_B, 0x02);
	cmos(REG_C);
	n = (u32)irq_count[VECTOR];
	sleep_us(5000);
	check(irq_count[VECTOR] == n, "rtc.pie_off", "");
	n = cmos(REG_C);
	check((n & 0xc0) == 0x40, "rtc.pf_without_pie", "%x", n);
	section("MC146818A, Register A, RS");
	cmos_set(REG_A, 0x20);
	cmos(REG_C);
	sleep_us(5000);
	check(!(cmos(REG_C) & 0x40), "rtc.rate_0_is_none", "");
	cmos_set(REG_A, 0x26);
}

/* With UIE: where seconds begin */
static void update(void)
{
	u64 first;
	u8 second;

	section("MC146818A, Update Cycle");
	cmos_set(REG_B, 0x12);
	cmos(REG_C);
	check(wait_irq(VECTOR, 1500000), "rtc.update_ended", "");
	first = came_at;
	second = cmos(0);
	check((cmos(REG_C) & 0x90) == 0x90, "rtc.uf", "");
	check(!(cmos(REG_A) & 0x80), "rtc.no_uip_after_update", "");
	sleep_until(first + tsc_khz() * 1000 - tsc_khz() * 2);
	check(cmos(0) == second && !(cmos(REG_A) & 0x80),
	      "rtc.no_uip_2_ms_before", "");
	section("MC146818A, Register A, UIP");
	sleep_until(first + tsc_khz() * 1000 - tsc_khz() / 10);
	check(cmos(REG_A) & 0x80 || cmos(0) != second, "rtc.uip_before_update",
	      "%x", cmos(REG_A));
	sleep_until(first + tsc_khz() * 1000 + tsc_khz() * 2);
	check(cmos(0) != second, "rtc.second_later", "%x", second);
	cmos(REG_C);
}

static void alarm(void)
{
	section("MC146818A, Alarm");
	cmos_set(1, 0xff);
	cmos_set(3, 0xc0);
	cmos_set(5, 0xff);
	cmos_set(REG_B, 0x02);
	cmos(REG_C);
	flush_irqs();
	cmos_set(REG_B, 0x22);
	check(wait_irq(VECTOR, 1500000), "rtc.alarm_each_second", "");
	check((cmos(REG_C) & 0xa0) == 0xa0, "rtc.af", "");
	cmos_set(1, 0x77); /* no such second */
	section("MC146818A, Register B, SET");
	cmos_set(REG_B, 0x92);
	check(cmos(REG_B) == 0x82, "rtc.set_clears_uie", "%x", cmos(REG_B));
	cmos_set(0, 0x58), cmos_set(2, 0x59), cmos_set(4, 0x23);
	cmos_set(7, 0x28), cmos_set(8, 0x02), cmos_set(9, 0x24);
	cmos_set(6, 0x04), cmos_set(0x32, 0x20);
	sleep_us(1100000);
	check(cmos(0) == 0x58, "rtc.set_stops_the_clock", "%x", cmos(0));
	cmos_set(REG_B, 0x02);
	cmos_set(0, 0x59);
	cmos(REG_C);
	cmos_set(REG_B, 0x12);
	wait_irq(VECTOR, 1500000);
	check(cmos(0) == 0 && cmos(2) == 0 && cmos(4) == 0 && cmos(6) == 5 &&
		      cmos(7) == 0x29 && cmos(8) == 2 && cmos(9) == 0x24,
	      "rtc.leap_day", "%x-%x-%x %x:%x:%x", cmos(9), cmos(8), cmos(7),
	      cmos(4), cmos(2), cmos(0));
	cmos_set(REG_B, 0x02);
	section("MC146818A, Register A, DV");
	cmos_set(REG_A, 0x76); /* held in reset */
	cmos(REG_C);
	sleep_us(1100000);
	check(!(cmos(REG_C) & 0x50), "rtc.divider_reset_stops", "");
	cmos_set(REG_A, 0x26);
	cmos_set(REG_B, 0x12);
	check(!wait_irq(VECTOR, 450000) && wait_irq(VECTOR, 100000),
	      "rtc.first_update_after_half_a_second", "");
}

void guest_main(void)
{
	board_start();
	pic_init(1);
	ram();
	formats();
	periodic();
	update();
	alarm();
	ioapic_set(8, IOAPIC_MASKED);
}
