/* SOURCES: hv/device/pc/vrtc.c hv/device/pc/vrtc_clock.c hv/device/pc/vrtc_cmos.c hv/device/pc/vrtc_irq.c hv/device/pc/vrtc_calendar.c hv/time/vclock.c hv/core/bus.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTC and CMOS RAM against the MC146818A data sheet. Over 400 lines: the
 * data sheet, case by case.
 */
#include <time.h>

#include "tests/unit/fakes/board.h"

#include "drivers/clock/rtc.h"
#include "hv/core/pc_map.h"
#include "hv/device/pc/vhpet.h"
#include "hv/device/pc/vpm.h"
#include "hv/device/pc/vrtc.h"
#include "hv/device/pc/vrtc_calendar.h"
#include "include/hw/mc146818.h"

static bool legacy;
static u32 alarms;
static u64 boot_seconds;

u64 rtc_boot_seconds(void)
{
	return boot_seconds;
}

bool vhpet_legacy(const struct vm *vm)
{
	return legacy;
}

void vpm_rtc_alarm(struct vm *vm)
{
	alarms++;
}

static u8 get(u8 reg)
{
	out(0x70, 1, reg);
	return (u8)in(0x71, 1);
}

static void set(u8 reg, u8 value)
{
	out(0x70, 1, reg);
	out(0x71, 1, value);
}

static int setup(void **state)
{
	board_init();
	legacy = false;
	alarms = 0;
	boot_seconds = 1767225599; /* 2025-12-31 23:59:59, a Wednesday */
	fake_vm.slot_count = 4;
	fake_vm.slots[0] = (struct vm_slot){ .gpa = 0, .size = 0xa0000 };
	fake_vm.slots[1] =
		(struct vm_slot){ .gpa = MIB(1), .size = GIB(2) - MIB(1) };
	fake_vm.slots[2] = (struct vm_slot){ .gpa = GIB(4) - MIB(4),
					     .size = MIB(4),
					     .rom = true };
	fake_vm.slots[3] = (struct vm_slot){ .gpa = GIB(4), .size = GIB(3) };
	return vrtc_vdev.create(&fake_vm);
}

static int teardown(void **state)
{
	vrtc_vdev.destroy(&fake_vm);
	board_done();
	return 0;
}

static void expect(const char *when, u32 weekday)
{
	char now[64];

	snprintf(now, sizeof(now), "%02x%02x-%02x-%02x %02x:%02x:%02x",
		 get(0x32), get(9), get(8), get(7), get(4), get(2), get(0));
	assert_string_equal(now, when);
	assert_int_equal(get(6), weekday);
}

static void test_wall_clock(void **state)
{
	expect("2025-12-31 23:59:59", 4);
	board_pass_us(999000);
	expect("2025-12-31 23:59:59", 4);
	board_pass_us(2000);
	expect("2026-01-01 00:00:00", 5);
	board_pass_us(59 * 1000000ull);
	expect("2026-01-01 00:00:59", 5);
	board_pass_us((31 + 28) * 86400 * 1000000ull);
	expect("2026-03-01 00:00:59", 1);
	assert_int_equal(get(0x0d), 0x80);
}

/* The clock runs while it is set: no field follows from another */
static void test_set_while_it_runs(void **state)
{
	board_pass_us(31 * 86400 * 1000000ull + 5000);
	expect("2026-01-31 23:59:59", 7);
	set(RTC_YEAR, 0x27);
	set(RTC_MONTH, 0x02);
	expect("2027-02-31 23:59:59", 7);
	set(RTC_DAY, 0x15);
	set(RTC_WEEKDAY, 2);
	expect("2027-02-15 23:59:59", 2);
	board_pass_us(1000000);
	expect("2027-02-16 00:00:00", 3);
	/* Nor does a halt or another rate lose what was written */
	set(RTC_HOUR, 0x11);
	set(RTC_A, 0x2f);
	set(RTC_B, RTC_B_24H | RTC_B_SET);
	set(RTC_MINUTE, 0x58);
	set(RTC_B, RTC_B_24H);
	board_pass_us(1000000);
	expect("2027-02-16 11:58:01", 3);
}

/* What is written to the clock that runs is in the format of its time */
static void test_format_of_what_was_written(void **state)
{
	set(RTC_HOUR, 0x23);
	set(RTC_B, RTC_B_24H | RTC_B_DM);
	assert_int_equal(get(RTC_HOUR), 23);
	set(RTC_B, 0);
	assert_int_equal(get(RTC_HOUR), 0x91);
	set(RTC_HOUR, 0x12);
	set(RTC_B, RTC_B_24H);
	assert_int_equal(get(RTC_HOUR), 0);
}

/* What was written may bring the alarm, and nobody else looks in between */
static void test_alarm_of_a_written_time(void **state)
{
	set(RTC_SECOND_ALARM, 0x30);
	set(RTC_MINUTE_ALARM, 0xff);
	set(RTC_HOUR_ALARM, 0xff);
	set(RTC_B, RTC_B_24H | RTC_B_AIE);
	set(RTC_SECOND, 0x28);
	board_pass_us(1000100);
	assert_int_equal(alarms, 0);
	board_pass_us(1000000);
	assert_int_equal(alarms, 1);
}

/* Cores look in turn, and one's TSC is a little behind the others': no second
 * comes twice, and no alarm that is hours ahead */
static void test_lagging_core(void **state)
{
	u64 lag = tsc_khz / 10;

	set(RTC_HOUR_ALARM, 0x12);
	set(RTC_MINUTE_ALARM, 0);
	set(RTC_SECOND_ALARM, 0);
	set(RTC_A, get(RTC_A) & (u8)~RTC_A_RATE);
	while (!(get(RTC_C) & RTC_C_UF))
		board_pass_us(10);
	expect("2026-01-01 00:00:00", 5);
	board_now -= lag;
	assert_int_equal(get(RTC_C), 0);
	expect("2026-01-01 00:00:00", 5);
	board_now += lag;
	assert_int_equal(get(RTC_C), 0);
	expect("2026-01-01 00:00:00", 5);
}

static void test_formats(void **state)
{
	static const struct {
		u8 b, hour;
	} rows[] = { { 2, 0x23 }, { 6, 23 }, { 0, 0x91 }, { 4, 0x8b } };

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		set(RTC_B, rows[i].b);
		assert_int_equal(get(4), rows[i].hour);
	}
	set(RTC_B, 4);
	assert_int_equal(get(8), 12);
	assert_int_equal(get(0x32), 20);
	board_pass_us(1000100);
	assert_int_equal(get(4), 12); /* midnight is 12 AM */
	board_pass_us(12 * 3600 * 1000000ull);
	assert_int_equal(get(4), 12 | 0x80); /* and noon 12 PM */
	set(RTC_B, 0x80);
	set(4, 0x12);
	set(RTC_B, 0);
	set(RTC_B, 6);
	assert_int_equal(get(4), 0);
}

static void test_set(void **state)
{
	set(RTC_B, 0x82);
	board_pass_us(5000000);
	expect("2025-12-31 23:59:59", 4); /* it stands still */
	set(0x32, 0x20), set(9, 0x24), set(8, 2), set(7, 0x28);
	set(6, 4), set(4, 0x23), set(2, 0x59), set(0, 0x58);
	set(RTC_B, 0x02);
	expect("2024-02-28 23:59:58", 4);
	board_pass_us(2000000);
	expect("2024-02-29 00:00:00", 5);
	/* One field while it runs */
	set(4, 0x13);
	expect("2024-02-29 13:00:00", 5);
	board_pass_us(3600 * 1000000ull);
	expect("2024-02-29 14:00:00", 5);
}

/* Held in reset, the divider begins half a second before the update */
static void test_divider(void **state)
{
	set(RTC_A, 0x76);
	set(0, 0x10), set(2, 0);
	board_pass_us(2000000);
	assert_int_equal(get(0), 0x10);
	set(RTC_A, 0x26);
	board_pass_us(499000);
	assert_int_equal(get(0), 0x10);
	board_pass_us(2000);
	assert_int_equal(get(0), 0x11);
}

static void test_uip(void **state)
{
	u32 up = 0;

	board_pass_us(500000);
	assert_int_equal(get(RTC_A), 0x26);
	for (u32 i = 0; i < 100000; i++) {
		board_pass_us(10);
		up += get(RTC_A) >> 7;
	}
	assert_in_range(up, 24, 30); /* 244 us a second */
	/* Down: there are 244 us to read the time in */
	while (!(get(RTC_A) & 0x80))
		board_pass_us(10);
	while (get(RTC_A) & 0x80)
		board_pass_us(1);
	up = get(0);
	board_pass_us(244);
	assert_int_equal(get(0), up);
}

static void test_update_ended(void **state)
{
	get(RTC_C);
	board_pass_us(1000100);
	/* Flags with no enable; the alarm bytes are those of midnight */
	assert_int_equal(get(RTC_C), 0x70);
	assert_int_equal(get(RTC_C), 0);
	set(RTC_B, 0x12);
	board_pass_us(1000100);
	assert_true(board_line(8));
	assert_int_equal(board_next(), 0);
	assert_int_equal(get(RTC_C), 0xd0);
	assert_false(board_line(8));
	for (u32 i = 0; i < 5; i++) {
		board_pass_us(1000100);
		get(RTC_C);
	}
	assert_int_equal(board_edges[8], 6);
	/* SET ends it and clears UIE */
	set(RTC_B, 0x92);
	assert_int_equal(get(RTC_B), 0x82);
	board_pass_us(2000000);
	assert_int_equal(get(RTC_C) & 0x10, 0);
}

static void test_periodic_rates(void **state)
{
	for (u8 rate = 1; rate < 16; rate++) {
		u64 hz = rate <= 2 ? 512 >> rate : 65536 >> rate;
		u32 n = 0;

		set(RTC_A, 0x20 | rate);
		set(RTC_B, 0x42);
		get(RTC_C);
		for (u32 i = 0; i < 20000; i++) {
			board_pass_us(100);
			if (board_line(8)) {
				assert_int_equal(get(RTC_C) & 0xc0, 0xc0);
				n++;
			}
		}
		assert_in_range(n, hz * 2 - 2, hz * 2 + 1);
	}
	set(RTC_A, 0x20);
	get(RTC_C);
	board_pass_us(2000000);
	assert_int_equal(get(RTC_C) & 0x40, 0);
}

static void test_alarm(void **state)
{
	set(5, 0x00), set(3, 0x01), set(1, 0x30);
	set(RTC_B, 0x22);
	get(RTC_C);
	board_pass_us(90 * 1000000ull);
	assert_false(board_line(8));
	board_pass_us(1000100);
	assert_true(board_line(8));
	assert_int_equal(alarms, 1);
	assert_int_equal(get(RTC_C), 0xa0 | 0x50);
	board_pass_us(86399 * 1000000ull);
	assert_false(board_line(8));
	board_pass_us(1000100); /* the next day */
	assert_true(board_line(8));
	/* Any hour, any minute: each minute at second 30 */
	get(RTC_C);
	set(5, 0xc0), set(3, 0xff);
	board_edges[8] = 0;
	for (u32 i = 0; i < 120; i++) {
		board_pass_us(1000100);
		get(RTC_C);
	}
	assert_int_equal(board_edges[8], 2);
	/* Never */
	set(1, 0x61);
	board_pass_us(86400 * 1000000ull);
	assert_int_equal(board_edges[8], 2);
	assert_int_equal(board_next(), 0);
}

static void test_flags_without_interrupts(void **state)
{
	set(5, 0xff), set(3, 0xff), set(1, 0xff);
	get(RTC_C);
	board_pass_us(1000100);
	assert_int_equal(get(RTC_C), 0x70);
	assert_int_equal(alarms, 0);
	/* The enable comes after the flag: the line follows */
	board_pass_us(1000100);
	assert_false(board_line(8));
	set(RTC_B, 0x22);
	assert_true(board_line(8));
	set(RTC_B, 0x02);
	assert_false(board_line(8));
}

static void test_legacy_replacement(void **state)
{
	legacy = true;
	set(RTC_B, 0x12);
	board_pass_us(1000100);
	assert_false(board_line(8));
	legacy = false;
	vrtc_look(&fake_vm);
	assert_true(board_line(8));
}

static void test_ram(void **state)
{
	u32 sum = 0;

	assert_int_equal(get(0x15) | get(0x16) << 8, 640);
	assert_int_equal(get(0x17) | get(0x18) << 8, 0xffff);
	assert_int_equal(get(0x30) | get(0x31) << 8, 0xffff);
	assert_int_equal(get(0x34) | get(0x35) << 8,
			 (GIB(2) - MIB(16)) / 65536);
	assert_int_equal(get(0x5b) | get(0x5c) << 8 | get(0x5d) << 16,
			 GIB(3) / 65536);
	assert_int_equal(get(0x14), 0x02); /* no PS/2 pointer */
	assert_int_equal(get(0x5f), 1);
	for (u8 i = 0x10; i <= 0x2d; i++)
		sum += get(i);
	assert_int_equal(get(0x2e) << 8 | get(0x2f), sum);
	/* Bit 7 of the index masks NMIs and is no part of it */
	set(0x40, 0x5a);
	assert_int_equal(get(0xc0), 0x5a);
	assert_int_equal(in(0x70, 1), 0xff);
	/* The upper bank is another */
	out(0x72, 1, 0x40);
	assert_int_equal(in(0x73, 1), 0);
	out(0x73, 1, 0xa5);
	assert_int_equal(get(0x40), 0x5a);
	assert_int_equal(in(0x73, 1), 0xa5);
}

static void test_reset(void **state)
{
	set(0x0f, 0x0a);
	set(RTC_B, 0x72);
	set(8, 3);
	board_pass_us(1000100);
	assert_true(board_line(8));
	vrtc_vdev.reset(&fake_vm);
	assert_false(board_line(8));
	assert_int_equal(get(RTC_B), 0x02);
	assert_int_equal(get(RTC_C), 0);
	assert_int_equal(get(0x0f), 0x0a);
	assert_int_equal(get(8), 4); /* April: the last of March was set */
	assert_int_equal(board_next(), 0);
}

/* Against the C library, and there and back */
static void test_calendar(void **state)
{
	srandom(4);
	for (u32 i = 0; i < 100000; i++) {
		s64 s = (s64)random() * 100 - 62135596800 / 4;
		struct civil c = civil_from_seconds(s);
		time_t t = (time_t)s;
		struct tm tm;

		gmtime_r(&t, &tm);
		assert_int_equal(c.year, tm.tm_year + 1900);
		assert_int_equal(c.month, tm.tm_mon + 1);
		assert_int_equal(c.day, tm.tm_mday);
		assert_int_equal(c.hour, tm.tm_hour);
		assert_int_equal(c.minute, tm.tm_min);
		assert_int_equal(c.second, tm.tm_sec);
		assert_true(civil_to_seconds(&c) == s);
	}
}

/* Against trying every second */
static void test_next_alarm(void **state)
{
	static const u32 some[] = { ~0u, 0, 1, 22, 23, 59, 60, 99 };

	srandom(5);
	for (u32 i = 0; i < 300; i++) {
		u32 h = some[random() % 8], m = some[random() % 8],
		    s = some[random() % 8], now = (u32)random() % 86400;
		u32 want = 0;

		for (u32 n = 1; n <= 86400 && !want; n++) {
			u32 at = (now + n) % 86400;

			if ((h == ~0u || h == at / 3600) &&
			    (m == ~0u || m == at / 60 % 60) &&
			    (s == ~0u || s == at % 60))
				want = n;
		}
		assert_int_equal(civil_next_alarm(now, h, m, s), want);
	}
}

static void test_random_writes(void **state)
{
	srandom(6);
	for (u32 i = 0; i < 300000; i++) {
		u8 reg = (u8)random();

		if (i % 16 == 0)
			board_pass_us((u64)random() % 50000);
		if (random() & 1)
			reg %= 16;
		if (random() & 1)
			set(reg, (u8)random());
		else
			get(reg);
		if (i % 64 == 0)
			out(0x70 + (u16)random() % 4, 4, (u32)random());
	}
}

/* The work of a look at the alarm, in clock ticks of this process */
static clock_t alarm_work(u32 hour, u32 minute, u32 second)
{
	clock_t from = clock();
	u32 found = 0;

	for (u32 i = 0; i < 20000; i++)
		found += civil_next_alarm(i, hour, minute, second) != 0;
	assert_true(found == 0 || found == 20000);
	return clock() - from;
}

/* An alarm that no time of day is costs no more than another */
static void test_impossible_alarm(void **state)
{
	clock_t possible = alarm_work(~0u, ~0u, 59) + alarm_work(23, 59, 59);

	assert_true(alarm_work(~0u, ~0u, 60) < 5 * possible);
	assert_true(alarm_work(~0u, 60, ~0u) < 5 * possible);
	assert_true(alarm_work(24, ~0u, ~0u) < 5 * possible);
	assert_int_equal(civil_next_alarm(0, ~0u, ~0u, 60), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_wall_clock),
		T(test_set_while_it_runs),
		T(test_alarm_of_a_written_time),
		T(test_format_of_what_was_written),
		T(test_impossible_alarm),
		T(test_formats),
		T(test_lagging_core),
		T(test_set),
		T(test_divider),
		T(test_uip),
		T(test_update_ended),
		T(test_periodic_rates),
		T(test_alarm),
		T(test_flags_without_interrupts),
		T(test_legacy_replacement),
		T(test_ram),
		T(test_reset),
		T(test_calendar),
		T(test_next_alarm),
		T(test_random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
