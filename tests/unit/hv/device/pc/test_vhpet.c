/* SOURCES: hv/device/pc/vhpet.c hv/time/vticks.c hv/time/vclock.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The HPET against IA-PC HPET 1.0a */
#include "tests/unit/fakes/board.h"

#include "hv/core/pc_map.h"
#include "hv/device/pc/vhpet.h"
#include "hv/device/pc/vpit.h"
#include "hv/device/pc/vrtc.h"
#include "hv/irq/lines.h"
#include "include/hw/hpet.h"

#define T_CONF(n) (HPET_TIMER0 + (n)*HPET_TIMER_BYTES + HPET_TIMER_CONF)
#define T_CMP(n)  (HPET_TIMER0 + (n)*HPET_TIMER_BYTES + HPET_TIMER_CMP)
#define ROUTE(n)  ((u64)(n) << HPET_T_ROUTE_SHIFT)
#define US        100ull /* counts */

static u32 pit_looks, rtc_looks;

void vpit_look(struct vm *vm)
{
	pit_looks++;
}

void vrtc_look(struct vm *vm)
{
	rtc_looks++;
}

static u64 get(u32 reg)
{
	return bus_read(&fake_vm.mmio, &fake_vcpus[0], PC_HPET_BASE + reg, 8);
}

static void set(u32 reg, u64 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], PC_HPET_BASE + reg, 8, value);
}

static int setup(void **state)
{
	board_init();
	pit_looks = rtc_looks = 0;
	return vhpet_vdev.create(&fake_vm);
}

static int teardown(void **state)
{
	vhpet_vdev.destroy(&fake_vm);
	board_done();
	return 0;
}

static void test_capabilities(void **state)
{
	assert_int_equal(get(HPET_CAP) >> 32, 10000000); /* 10 ns */
	assert_int_equal(get(HPET_CAP) & 0xffffffff, 0x8086a201);
	assert_int_equal(get(T_CONF(0)), 0x00f0000000000030);
	assert_int_equal(get(T_CONF(1)), 0x00f0000000000020);
	assert_int_equal(get(T_CONF(2)), 0x00f0080000000020);
	assert_int_equal(get(T_CMP(0)), ~0ull);
	assert_int_equal(get(0x160), 0);
	/* Only what is there can be written; routes it has not are refused */
	for (u32 i = 0; i < HPET_TIMERS; i++) {
		set(T_CONF(i), ~0ull & ~ROUTE(31));
		assert_int_equal(get(T_CONF(i)) & 0xffff, i ? 0x0126 : 0x013e);
		set(T_CONF(i), ROUTE(22));
		assert_int_equal(get(T_CONF(i)) & HPET_T_ROUTE, ROUTE(22));
		set(T_CONF(i), ROUTE(9));
		assert_int_equal(get(T_CONF(i)) & HPET_T_ROUTE, ROUTE(22));
	}
	set(HPET_CONFIG, ~0ull);
	assert_int_equal(get(HPET_CONFIG), 3);
}

static void test_counter(void **state)
{
	board_pass_us(100);
	assert_int_equal(get(HPET_COUNTER), 0);
	set(HPET_COUNTER, 0xfffffff0);
	set(HPET_CONFIG, HPET_CONFIG_ENABLE);
	board_pass_us(10);
	assert_in_range(get(HPET_COUNTER), 0xfffffff0 + 10 * US - 1,
			0xfffffff0 + 10 * US);
	/* Halves; 64 bits */
	assert_int_equal(bus_read(&fake_vm.mmio, &fake_vcpus[0],
				  PC_HPET_BASE + HPET_COUNTER + 4, 4),
			 1);
	set(HPET_CONFIG, 0);
	board_pass_us(10);
	assert_in_range(get(HPET_COUNTER), 0xfffffff0 + 10 * US - 1,
			0xfffffff0 + 10 * US);
	set(HPET_CONFIG, HPET_CONFIG_ENABLE);
	board_pass_us(10);
	assert_in_range(get(HPET_COUNTER), 0xfffffff0 + 20 * US - 2,
			0xfffffff0 + 20 * US);
}

static void test_one_shot(void **state)
{
	set(HPET_CONFIG, HPET_CONFIG_ENABLE);
	set(T_CONF(1), HPET_T_ENABLE | ROUTE(21));
	set(T_CMP(1), 1000 * US);
	board_pass_us(999);
	assert_int_equal(board_edges[21], 0);
	board_pass_us(2);
	assert_int_equal(board_edges[21], 1);
	assert_false(board_line(21)); /* a pulse */
	assert_int_equal(get(HPET_STATUS), 0);
	board_pass_us(100000);
	assert_int_equal(board_edges[21], 1);
	/* The past is a wrap away */
	set(T_CMP(1), 1000 * US);
	board_pass_us(100000);
	assert_int_equal(board_edges[21], 1);
	/* Of 32 bits it comes once more */
	set(T_CONF(1), HPET_T_ENABLE | HPET_T_32MODE | ROUTE(21));
	board_pass_us(43000000);
	assert_int_equal(board_edges[21], 2);
	board_pass_us(43000000);
	assert_int_equal(board_edges[21], 3);
}

/* 64 bits: what has passed does not come again */
static void test_passed_is_never(void **state)
{
	static const u64 begins[] = { 0, 1000 * US, ~0ull - 1000 * US };

	for (u32 i = 0; i < ARRAY_SIZE(begins); i++) {
		u32 before = board_edges[21];
		u64 fired;

		set(HPET_CONFIG, 0);
		set(HPET_COUNTER, begins[i]);
		set(HPET_CONFIG, HPET_CONFIG_ENABLE);
		set(T_CONF(1), HPET_T_ENABLE | ROUTE(21));
		set(T_CMP(1), begins[i] + 100 * US);
		board_pass_us(200);
		assert_int_equal(board_edges[21], before + 1);
		fired = board_fires;
		board_pass_us(100000);
		assert_int_equal(board_fires, fired);
		set(T_CMP(1), get(HPET_COUNTER) - 50 * US);
		board_pass_us(100000);
		assert_int_equal(board_fires, fired);
		assert_int_equal(board_edges[21], before + 1);
	}
}

static void test_level(void **state)
{
	set(HPET_CONFIG, HPET_CONFIG_ENABLE);
	set(T_CONF(2), HPET_T_ENABLE | HPET_T_LEVEL | ROUTE(20));
	set(T_CMP(2), 100 * US);
	board_pass_us(101);
	assert_true(board_line(20));
	assert_int_equal(get(HPET_STATUS), 4);
	set(HPET_STATUS, 3);
	assert_true(board_line(20));
	/* Another route takes the line with it */
	set(T_CONF(2), HPET_T_ENABLE | HPET_T_LEVEL | ROUTE(23));
	assert_false(board_line(20));
	assert_true(board_line(23));
	/* Not enabled: status only */
	set(T_CONF(2), HPET_T_LEVEL | ROUTE(23));
	assert_false(board_line(23));
	assert_int_equal(get(HPET_STATUS), 4);
	set(HPET_STATUS, 4);
	assert_int_equal(get(HPET_STATUS), 0);
	set(T_CMP(2), get(HPET_COUNTER) + 100 * US);
	board_pass_us(101);
	assert_int_equal(get(HPET_STATUS), 4);
	set(T_CONF(2), HPET_T_ENABLE | HPET_T_LEVEL | ROUTE(23));
	assert_true(board_line(23));
	/* Edge has no status (2.3.6) */
	set(T_CONF(2), HPET_T_ENABLE | ROUTE(23));
	assert_int_equal(get(HPET_STATUS), 0);
	assert_false(board_line(23));
}

#define PERIODIC (HPET_T_ENABLE | HPET_T_PERIODIC | HPET_T_VAL_SET)

static void test_periodic(void **state)
{
	set(HPET_CONFIG, HPET_CONFIG_ENABLE);
	set(T_CONF(0), PERIODIC | ROUTE(20));
	assert_int_equal(get(T_CONF(0)) & HPET_T_VAL_SET, 0);
	set(T_CMP(0), 500 * US);
	set(T_CMP(0), 1000 * US);
	board_pass_us(501);
	assert_int_equal(board_edges[20], 1);
	assert_int_equal(get(T_CMP(0)), 1500 * US);
	board_pass_us(10000);
	assert_int_equal(board_edges[20], 11);
	assert_int_equal(get(T_CMP(0)), 11500 * US);
	/* Another period: from the next match on */
	set(T_CMP(0), 2000 * US);
	assert_int_equal(get(T_CMP(0)), 11500 * US);
	board_pass_us(1000);
	assert_int_equal(get(T_CMP(0)), 13500 * US);
	/* Others are not periodic */
	set(T_CONF(1), PERIODIC | ROUTE(21));
	set(T_CMP(1), 1);
	assert_int_equal(get(T_CMP(1)), 1);
}

/* As Linux sets it up: first the accumulator, then the period, by halves */
static void test_periodic_by_halves(void **state)
{
	struct bus *b = &fake_vm.mmio;
	struct vcpu *v = &fake_vcpus[0];

	set(HPET_CONFIG, HPET_CONFIG_ENABLE | HPET_CONFIG_LEGACY);
	bus_write(b, v, PC_HPET_BASE + T_CONF(0), 4, PERIODIC | HPET_T_32MODE);
	bus_write(b, v, PC_HPET_BASE + T_CMP(0), 4, 4000 * US);
	bus_write(b, v, PC_HPET_BASE + T_CMP(0), 4, 4000 * US);
	board_pass_us(1000001);
	assert_int_equal(board_edges[0], 250);
}

static void test_legacy_replacement(void **state)
{
	set(HPET_CONFIG, HPET_CONFIG_ENABLE);
	assert_false(vhpet_legacy(&fake_vm));
	line_set(&fake_vm, 0, true);
	line_set(&fake_vm, 8, true);
	set(HPET_CONFIG, HPET_CONFIG_ENABLE | HPET_CONFIG_LEGACY);
	assert_true(vhpet_legacy(&fake_vm));
	assert_int_equal(pit_looks, 1);
	assert_int_equal(rtc_looks, 1);
	assert_false(board_line(0));
	assert_false(board_line(8));
	board_edges[0] = board_edges[8] = 0;
	for (u32 i = 0; i < 3; i++) {
		set(T_CONF(i), HPET_T_ENABLE | HPET_T_LEVEL | ROUTE(20 + i));
		set(T_CMP(i), get(HPET_COUNTER) + 10 * US);
	}
	board_pass_us(60);
	assert_true(board_line(0));
	assert_true(board_line(8));
	assert_false(board_line(20));
	assert_true(board_line(22)); /* the third is not replaced */
	set(HPET_CONFIG, HPET_CONFIG_ENABLE);
	assert_false(board_line(0));
	assert_false(board_line(8));
	assert_true(board_line(20));
	assert_int_equal(pit_looks, 2);
}

static void test_masked(void **state)
{
	set(HPET_CONFIG, HPET_CONFIG_ENABLE);
	board_masked = true;
	set(T_CONF(0), PERIODIC | ROUTE(20));
	set(T_CMP(0), 1000 * US);
	board_pass_us(1000000);
	assert_int_equal(board_next(), 0);
	assert_int_equal(board_edges[20], 0);
	board_masked = false;
	board_unmasked();
	board_pass_us(10000);
	assert_in_range(board_edges[20], 9, 11);
}

/* board_pass_to() fails when it fires too often */
static void test_absurd_rates(void **state)
{
	set(HPET_CONFIG, HPET_CONFIG_ENABLE);
	for (u64 period = 0; period < 6000; period = period * 2 + 1) {
		set(T_CONF(0), PERIODIC | ROUTE(20));
		set(T_CMP(0), get(HPET_COUNTER));
		set(T_CMP(0), period);
		board_edges[20] = 0;
		board_pass_us(10000);
		assert_true(board_edges[20] < 250);
		set(T_CONF(0), PERIODIC | HPET_T_LEVEL | ROUTE(20));
		set(T_CMP(0), period);
		board_pass_us(10000);
		set(HPET_STATUS, 1);
		board_pass_us(10000);
		set(HPET_STATUS, 1);
	}
}

/* A guest that takes none of them is looked after less often */
static void test_absurd_and_not_taken(void **state)
{
	u64 fires;

	board_busy = true;
	set(HPET_CONFIG, HPET_CONFIG_ENABLE);
	set(T_CONF(0), PERIODIC | ROUTE(20));
	set(T_CMP(0), 1);
	board_pass_us(1000);
	fires = board_fires;
	board_pass_us(100000);
	assert_in_range(board_fires - fires, 1, 110);
}

static void test_reset(void **state)
{
	set(HPET_CONFIG, HPET_CONFIG_ENABLE | HPET_CONFIG_LEGACY);
	set(T_CONF(0), HPET_T_ENABLE | HPET_T_LEVEL);
	set(T_CMP(0), 100);
	board_pass_us(100);
	assert_true(board_line(0));
	vhpet_vdev.reset(&fake_vm);
	assert_false(board_line(0));
	assert_false(vhpet_legacy(&fake_vm));
	assert_int_equal(board_next(), 0);
	assert_int_equal(get(HPET_COUNTER), 0);
	assert_int_equal(get(T_CONF(0)), 0x00f0000000000030);
}

/* Cores look in turn, and one's TSC is a little behind the others' */
static void test_lagging_core(void **state)
{
	set(HPET_CONFIG, HPET_CONFIG_ENABLE);
	board_now -= 1000;
	assert_int_equal(get(HPET_COUNTER), 0);
	board_now += 1000;
	set(T_CONF(0),
	    HPET_T_ENABLE | HPET_T_PERIODIC | HPET_T_VAL_SET | ROUTE(20));
	set(T_CMP(0), 1000 * US);
	board_pass_us(1);
	for (u32 i = 0; i < 10; i++) {
		board_pass_us(500);
		get(HPET_COUNTER);
		board_now -= 1000;
		get(HPET_COUNTER);
		board_now += 1000;
		board_pass_us(500);
		assert_int_equal(board_edges[20], i + 1);
	}
}

static void test_random_writes(void **state)
{
	srandom(7);
	for (u32 i = 0; i < 300000; i++) {
		u32 reg = (u32)random() % HPET_BYTES;
		u8 size = (u8)(1 << random() % 4);
		u64 value = (u64)random() << 33 ^ (u64)random();

		if (random() % 8)
			reg = (u32)random() % 0x180;
		reg &= ~(u32)(size - 1);
		if (i % 16 == 0)
			board_pass_us((u64)random() % 3000);
		if (i % 500 == 0)
			board_masked = random() & 1;
		if (i % 50 == 0)
			board_unmasked();
		if (random() & 1)
			bus_write(&fake_vm.mmio, &fake_vcpus[0],
				  PC_HPET_BASE + reg, size,
				  value >> random() % 64);
		else
			bus_read(&fake_vm.mmio, &fake_vcpus[0],
				 PC_HPET_BASE + reg, size);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_capabilities),
		T(test_counter),
		T(test_one_shot),
		T(test_passed_is_never),
		T(test_level),
		T(test_periodic),
		T(test_periodic_by_halves),
		T(test_legacy_replacement),
		T(test_masked),
		T(test_absurd_rates),
		T(test_passed_is_never),
		T(test_absurd_and_not_taken),
		T(test_reset),
		T(test_lagging_core),
		T(test_random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
