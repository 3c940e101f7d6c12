/* SOURCES: hv/device/pc/vpit.c hv/device/pc/vpit_channel.c hv/time/vticks.c hv/time/vclock.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254 against its data sheet (82C54, 231244), by ports and OUT 0. Over
 * 400 lines: six modes, case by case.
 */
#include "tests/unit/fakes/board.h"

#include "hv/device/pc/vhpet.h"
#include "hv/device/pc/vpit.h"
#include "hv/device/pc/vpit_channel.h"
#include "include/hw/i8254.h"

static bool legacy;

bool vhpet_legacy(const struct vm *vm)
{
	return legacy;
}

static int setup(void **state)
{
	board_init();
	legacy = false;
	return vpit_vdev.create(&fake_vm);
}

static int teardown(void **state)
{
	vpit_vdev.destroy(&fake_vm);
	board_done();
	return 0;
}

/* Each row: counter at time t after the count was written (loaded at 1) */
static struct pit_channel channel;
static u64 t0;

static void program(u8 control, u16 count, bool gate)
{
	memset(&channel, 0, sizeof(channel));
	t0 = PIT_TIME_MIN + 1000;
	channel.gate = gate;
	pit_channel_control(&channel, control, t0);
	channel.rises = 0;
	pit_channel_write(&channel, (u8)count, t0);
	pit_channel_write(&channel, (u8)(count >> 8), t0);
}

static u16 count_at(u64 t)
{
	u8 low;

	pit_channel_settle(&channel, t0 + t);
	pit_channel_latch_count(&channel, t0 + t);
	low = pit_channel_read(&channel, t0 + t);
	return (u16)(low | pit_channel_read(&channel, t0 + t) << 8);
}

static bool out_at(u64 t)
{
	pit_channel_settle(&channel, t0 + t);
	return pit_channel_out(&channel, t0 + t);
}

static void test_mode0(void **state)
{
	program(0x30, 4, true);
	assert_false(out_at(0));
	assert_int_equal(count_at(1), 4);
	assert_int_equal(count_at(2), 3);
	assert_false(out_at(4));
	assert_true(out_at(5)); /* N + 1 after the write */
	assert_int_equal(count_at(5), 0);
	assert_int_equal(count_at(6), 0xffff); /* it goes on */
	assert_true(out_at(100000));
	assert_int_equal(channel.rises, 1);
	/* The first byte of a new count stops it, with OUT low */
	pit_channel_write(&channel, 2, t0 + 100001);
	assert_false(out_at(100050));
	pit_channel_write(&channel, 0, t0 + 100100);
	assert_false(out_at(100102));
	assert_true(out_at(100103));
}

static void test_mode0_gate(void **state)
{
	program(0x30, 4, true);
	assert_int_equal(count_at(3), 2);
	pit_channel_gate(&channel, false, t0 + 3);
	assert_int_equal(count_at(50), 2);
	pit_channel_gate(&channel, true, t0 + 50);
	assert_false(out_at(51));
	assert_true(out_at(52));
}

static void test_mode1(void **state)
{
	program(0x32, 3, false);
	assert_true(out_at(100));
	pit_channel_gate(&channel, true, t0 + 100);
	assert_true(out_at(100));
	assert_false(out_at(101));
	assert_false(out_at(103));
	assert_true(out_at(104));
	/* Retriggered in the middle, the pulse begins again */
	pit_channel_gate(&channel, false, t0 + 200);
	pit_channel_gate(&channel, true, t0 + 201);
	pit_channel_gate(&channel, false, t0 + 203);
	pit_channel_gate(&channel, true, t0 + 203);
	assert_false(out_at(206));
	assert_true(out_at(207));
	/* A new count waits for the next trigger */
	pit_channel_write(&channel, 10, t0 + 300);
	pit_channel_write(&channel, 0, t0 + 300);
	assert_true(out_at(305));
	pit_channel_gate(&channel, false, t0 + 310);
	pit_channel_gate(&channel, true, t0 + 311);
	assert_false(out_at(321));
	assert_true(out_at(322));
}

static void test_mode2(void **state)
{
	program(0x34, 3, true);
	assert_int_equal(count_at(1), 3);
	assert_true(out_at(2));
	assert_int_equal(count_at(3), 1);
	assert_false(out_at(3));
	assert_true(out_at(4));
	assert_int_equal(count_at(4), 3);
	assert_int_equal(channel.rises, 1);
	assert_false(out_at(6));
	/* A new count is used from the end of this cycle on */
	assert_true(out_at(7));
	pit_channel_write(&channel, 5, t0 + 8);
	pit_channel_write(&channel, 0, t0 + 8);
	assert_false(out_at(9));
	assert_int_equal(count_at(10), 5);
	assert_false(out_at(14));
	assert_true(out_at(15));
	/* The gate stops it with OUT high and restarts it */
	pit_channel_gate(&channel, false, t0 + 19);
	assert_true(out_at(19));
	pit_channel_gate(&channel, true, t0 + 30);
	assert_int_equal(count_at(31), 5);
	assert_false(out_at(35));
	assert_true(out_at(36));
}

static void test_mode3(void **state)
{
	static const struct {
		u16 count;
		u16 element[10]; /* from t = 1 on */
		u16 out;         /* bit n: at t = n + 1 */
	} rows[] = {
		{ 4, { 4, 2, 4, 2, 4, 2, 4, 2, 4, 2 }, 0x333 },
		{ 5, { 4, 2, 0, 4, 2, 4, 2, 0, 4, 2 }, 0x0e7 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		program(0x36, rows[i].count, true);
		for (u32 t = 0; t < 10; t++) {
			assert_int_equal(count_at(t + 1), rows[i].element[t]);
			assert_int_equal(out_at(t + 1), rows[i].out >> t & 1);
		}
	}
	/* A new count from the end of the half cycle on */
	program(0x36, 10, true);
	assert_true(out_at(2));
	pit_channel_write(&channel, 4, t0 + 2);
	pit_channel_write(&channel, 0, t0 + 2);
	assert_true(out_at(5));
	assert_false(out_at(6));
	assert_false(out_at(7));
	assert_true(out_at(8));
	assert_int_equal(channel.rises, 1);
	assert_true(out_at(9));
	assert_false(out_at(10));
}

static void test_strobes(void **state)
{
	program(0x38, 4, true); /* mode 4 */
	assert_true(out_at(4));
	assert_false(out_at(5)); /* N + 1 after the write, one period */
	assert_true(out_at(6));
	assert_int_equal(channel.rises, 1);
	assert_true(out_at(70000));
	assert_int_equal(channel.rises, 1);
	program(0x3a, 4, false); /* mode 5 */
	assert_true(out_at(50));
	pit_channel_gate(&channel, true, t0 + 50);
	assert_true(out_at(54));
	assert_false(out_at(55));
	assert_true(out_at(56));
}

static void test_bcd(void **state)
{
	program(0x31, 0x1000, true);
	assert_int_equal(count_at(1), 0x1000);
	assert_int_equal(count_at(2), 0x0999);
	assert_int_equal(count_at(1001), 0);
	assert_int_equal(count_at(1002), 0x9999);
	program(0x35, 0, true); /* 10000 */
	assert_int_equal(count_at(2), 0x9999);
	assert_int_equal(count_at(10001), 0);
	assert_int_equal(channel.rises, 1);
}

static void test_latch_and_status(void **state)
{
	out(0x43, 1, 0xb4); /* channel 2, mode 2 */
	out(0x42, 1, 0x00);
	out(0x61, 1, 1);
	out(0x42, 1, 0x10);
	board_pass_us(1000);
	out(0x43, 1, 0x80);
	board_pass_us(500);
	out(0x43, 1, 0x80); /* ignored: latched already */
	assert_in_range(in(0x42, 1) | in(0x42, 1) << 8, 0x1000 - 1194,
			0x1000 - 1192);
	assert_in_range(in(0x42, 1) | in(0x42, 1) << 8, 0x1000 - 1791,
			0x1000 - 1788);
	/* Status comes before the count, of the channels asked for */
	out(0x43, 1, 0xc8);
	assert_int_equal(in(0x42, 1), 0x80 | 0x34);
	in(0x42, 1);
	in(0x42, 1);
	out(0x43, 1, 0xb0);
	out(0x43, 1, 0xe8);
	assert_int_equal(in(0x42, 1), 0x40 | 0x30); /* null count, OUT low */
	assert_int_equal(in(0x43, 1), 0xff);
}

static void test_single_bytes(void **state)
{
	out(0x61, 1, 1);
	out(0x43, 1, 0x90); /* channel 2, low byte, mode 0 */
	out(0x42, 1, 200);
	board_pass_us(50); /* 59 periods */
	assert_in_range(in(0x42, 1), 200 - 60, 200 - 57);
	assert_in_range(in(0x42, 1), 200 - 60, 200 - 57);
	out(0x43, 1, 0xa0); /* high byte */
	out(0x42, 1, 2);
	board_pass_us(50);
	assert_int_equal(in(0x42, 1), 1);
}

static void test_port61(void **state)
{
	u32 toggles = 0, last = in(0x61, 1);

	out(0x61, 1, 0xff);
	assert_int_equal(in(0x61, 1) & 0xcf, 0x0f);
	for (u32 i = 0; i < 1000; i++) {
		board_pass_us(1);
		toggles += (last ^ in(0x61, 1)) >> 4 & 1;
		last = in(0x61, 1);
	}
	assert_in_range(toggles, 65, 67);
	/* OUT2 after a mode 0 count with the gate up */
	out(0x61, 1, 0);
	out(0x43, 1, 0xb0);
	out(0x42, 1, 0xff);
	out(0x42, 1, 0);
	board_pass_us(1000);
	assert_int_equal(in(0x61, 1) & 0x20, 0);
	out(0x61, 1, 1);
	board_pass_us(200);
	assert_int_equal(in(0x61, 1) & 0x20, 0);
	board_pass_us(20);
	assert_int_equal(in(0x61, 1) & 0x20, 0x20);
}

static void rate(u8 control, u16 count)
{
	out(0x43, 1, control);
	out(0x40, 1, (u8)count);
	out(0x40, 1, (u8)(count >> 8));
	board_edges[0] = 0;
}

static void test_ticks(void **state)
{
	board_unmasked();
	rate(0x34, 11932);
	board_pass_us(1000000);
	assert_in_range(board_edges[0], 99, 100);
	rate(0x36, 1193);
	board_pass_us(1000000);
	assert_in_range(board_edges[0], 999, 1001);
	/* One-shots */
	rate(0x30, 1193);
	assert_false(board_line(0));
	board_pass_us(999);
	assert_false(board_line(0));
	board_pass_us(3);
	assert_true(board_line(0));
	assert_int_equal(board_next(), 0);
	rate(0x38, 1193);
	board_pass_us(1000000);
	assert_int_equal(board_edges[0], 1);
}

/* The gate of channel 0 is tied high; the HPET may take its interrupt */
static void test_legacy_replacement(void **state)
{
	vpit_look(&fake_vm);
	rate(0x34, 11932);
	legacy = true;
	board_pass_us(1000000);
	assert_int_equal(board_edges[0], 0);
	assert_int_equal(board_next(), 0);
	legacy = false;
	vpit_look(&fake_vm);
	board_edges[0] = 0;
	board_pass_us(1000000);
	assert_in_range(board_edges[0], 99, 101);
}

/* Nobody listens: no timer. Somebody again: no ticks of the time between */
static void test_masked(void **state)
{
	board_masked = true;
	rate(0x34, 11932);
	board_pass_us(1000000);
	assert_int_equal(board_next(), 0);
	assert_int_equal(board_edges[0], 0);
	board_masked = false;
	vpit_look(&fake_vm);
	assert_int_equal(board_edges[0], 0);
	board_pass_us(1000000);
	assert_in_range(board_edges[0], 99, 101);
}

/* A guest that was off its core for a while counts every tick */
static void test_late_guest(void **state)
{
	vpit_look(&fake_vm);
	rate(0x34, 1193);
	for (u32 i = 0; i < 20; i++) {
		board_busy = true;
		board_waits[0] = board_line(0);
		board_pass_us(20000);
		board_busy = board_waits[0] = false;
		board_pass_us(30000);
	}
	board_pass_us(30000);
	assert_in_range(board_edges[0], 1029, 1031);
	/* But not those of a long pause, and no storm after it */
	board_edges[0] = 0;
	board_busy = board_waits[0] = true;
	board_pass_us(10000000);
	board_busy = board_waits[0] = false;
	board_pass_us(100000);
	assert_in_range(board_edges[0], 150, 210);
	board_pass_us(900000);
	assert_in_range(board_edges[0], 1200, 1260);
}

/* board_pass_to() fails when it fires too often */
static void test_absurd_rates(void **state)
{
	vpit_look(&fake_vm);
	for (u16 count = 1; count < 70; count++)
		for (u8 mode = 0; mode < 6; mode++) {
			rate((u8)(0x30 | mode << 1), count);
			board_pass_us(10000);
			assert_true(board_edges[0] < 250);
		}
	/* Nothing is left of that rate */
	rate(0x34, 2);
	board_pass_us(130);
	rate(0x30, 1193);
	board_edges[0] = 0;
	board_pass_us(10000);
	assert_int_equal(board_edges[0], 1);
	rate(0x34, 1);
	rate(0x34, 11932);
	board_pass_us(1000000);
	assert_in_range(board_edges[0], 99, 101);
}

/* A guest that takes none of them is looked after less often */
static void test_absurd_and_not_taken(void **state)
{
	u64 fires;

	board_busy = true;
	vpit_look(&fake_vm);
	rate(0x34, 2);
	board_pass_us(1000);
	fires = board_fires;
	board_pass_us(100000);
	assert_in_range(board_fires - fires, 1, 110);
}

static void test_reset(void **state)
{
	vpit_look(&fake_vm);
	rate(0x30, 5);
	board_pass_us(1000);
	vpit_vdev.reset(&fake_vm);
	assert_int_equal(board_next(), 0);
	vpit_look(&fake_vm);
	board_edges[0] = 0;
	board_pass_us(1000000);
	assert_in_range(board_edges[0], 17, 19); /* 18.2 Hz */
}

static void test_random_writes(void **state)
{
	static const u16 ports[] = { 0x40, 0x41, 0x42, 0x43, 0x61 };

	srandom(3);
	for (u32 i = 0; i < 300000; i++) {
		u16 port = ports[random() % ARRAY_SIZE(ports)];
		u8 size = (u8)(1 << random() % 3);

		if (i % 16 == 0)
			board_pass_us((u64)random() % 3000);
		if (i % 500 == 0)
			board_masked = random() & 1;
		if (i % 100 == 0)
			board_busy = board_waits[0] = random() & 1;
		if (i % 50 == 0)
			vpit_look(&fake_vm);
		if (random() & 1)
			out(port, size, (u32)random());
		else
			in(port, size);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_mode0),        T(test_mode0_gate),
		T(test_mode1),        T(test_mode2),
		T(test_mode3),        T(test_strobes),
		T(test_bcd),          T(test_latch_and_status),
		T(test_single_bytes), T(test_port61),
		T(test_ticks),        T(test_legacy_replacement),
		T(test_masked),       T(test_late_guest),
		T(test_absurd_rates), T(test_absurd_and_not_taken),
		T(test_reset),        T(test_random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
