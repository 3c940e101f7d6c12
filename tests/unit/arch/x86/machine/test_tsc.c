/* SOURCES: lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The TSC's rate on machines of all sorts: time passes with each read of a
 * clock, SMIs tear reads apart, clocks glitch, come round or stand still */
#define rdtsc machine_rdtsc
#include "arch/x86/machine/tsc.h"
#undef rdtsc
#include "lib/types.h"

static u64 rdtsc(void);

#include "arch/x86/machine/tsc.c"
#include "arch/x86/machine/tsc_clock.c"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/test.h"

#define KHZ       2445243ull
#define READ_NS   700 /* a read of a clock outside the core */
#define TSC_NS    40
#define SMI_NS    3000000
#define NS_PER_PS 1000ull

static u64 now_ps;  /* since the machine's start */
static u64 khz;     /* the TSC's true rate */
static u64 hpet_hz; /* and the HPET's; 0: what it says */
static u32 smi_every, glitch_every, reads;
static u64 told, nominal;
static u64 lapic_ticks, lapic_tsc;
static struct ref_clock hpet;

static u64 at(u64 hz)
{
	return (u64)((unsigned __int128)now_ps * hz / 1000000000000ull);
}

static u64 rdtsc(void)
{
	now_ps += TSC_NS * NS_PER_PS;
	return at(khz * 1000);
}

/* Half of the time goes by before the counter is latched */
static u64 hpet_read(void)
{
	u64 value;

	reads++;
	now_ps += READ_NS * NS_PER_PS / 2;
	if (smi_every && reads % smi_every == 0)
		now_ps += SMI_NS * NS_PER_PS;
	value = at(hpet_hz ? hpet_hz : hpet.hz);
	if (glitch_every && reads % glitch_every == 0)
		value += hpet.hz / 4000;
	now_ps += READ_NS * NS_PER_PS / 2;
	return value;
}

static u64 stands(void)
{
	now_ps += READ_NS * NS_PER_PS;
	return 42;
}

u64 tsc_told_khz(cpuid_reader read, const char **by)
{
	*by = "CPUID 15h";
	return told;
}

u64 tsc_nominal_khz(cpuid_reader read, const char **by)
{
	*by = "CPUID 16h";
	return nominal;
}

bool lapic_timer_count_start(void)
{
	return true;
}

u32 lapic_timer_count(void)
{
	now_ps += TSC_NS * NS_PER_PS;
	return (u32)at(25000000);
}

void lapic_timer_set_rate(u64 ticks, u64 tsc)
{
	lapic_ticks = ticks;
	lapic_tsc = tsc;
}

static u32 changes;

static void note_change(void)
{
	changes++;
}

static int setup(void **state)
{
	hpet = (struct ref_clock){ "HPET", 14318180, UINT32_MAX, hpet_read };
	hpet_hz = 0;
	now_ps = 123456789;
	khz = KHZ;
	smi_every = glitch_every = reads = changes = 0;
	told = nominal = 0;
	tsc_khz = 0;
	exact = false;
	fake_timer = NULL;
	memset(&change, 0, sizeof(change));
	fake_log_reset();
	return 0;
}

static void boot(void)
{
	tsc_init(0, &hpet);
	tsc_settle();
}

/* Within @ppm of the truth */
static void is_right(u64 ppm)
{
	u64 off = khz * ppm / 1000000 + 1;

	assert_in_range(tsc_khz, khz - off, khz + off);
}

static void refine_now(void)
{
	tsc_refine_later(note_change);
	assert_non_null(fake_timer);
	assert_in_range(fake_timer->deadline, origin.tsc + khz * 990,
			origin.tsc + khz * 1010);
	while (rdtsc() < fake_timer->deadline)
		now_ps += 1000000000;
	fake_timer_fire();
}

static void test_rates(void **state)
{
	static const u64 rates[] = { 50000, 999999, 2445243, 5700000 };
	static const u64 clocks[] = { PM_TMR_HZ, 14318180, 24000000,
				      100000000 };

	for (u32 i = 0; i < ARRAY_SIZE(rates); i++) {
		for (u32 j = 0; j < ARRAY_SIZE(clocks); j++) {
			setup(NULL);
			khz = rates[i];
			hpet.hz = clocks[j];
			boot();
			is_right(30);
			refine_now();
			is_right(3);
			assert_int_equal(fake_log_warnings, 0);
		}
	}
}

/* 50 ms are measured, and no more than the boot has left over */
static void test_window(void **state)
{
	u64 start = now_ps;

	tsc_init(0, &hpet);
	assert_in_range(now_ps - start, 2000000000ull, 4000000000ull);
	tsc_settle();
	assert_in_range(now_ps - start, 50000000000ull, 52000000000ull);
	setup(NULL);
	start = now_ps;
	tsc_init(0, &hpet);
	now_ps += 200000000000ull; /* the other cores */
	tsc_settle();
	assert_in_range(now_ps - start, 200000000000ull, 204000000000ull);
	is_right(10);
}

/* 65,536 ticks of the PIT are 55 ms, and of a PM timer 4.7 s */
static void test_clock_comes_round(void **state)
{
	hpet.hz = PIT_HZ;
	hpet.mask = 0xffff;
	tsc_init(0, &hpet);
	now_ps += 333000000000ull;
	tsc_settle();
	is_right(30);
}

static void test_smis(void **state)
{
	for (u32 every = 5; every < 40; every += 6) {
		setup(NULL);
		smi_every = every;
		boot();
		is_right(40);
		refine_now();
		is_right(10);
	}
}

/* A counter that is now and then read wrong by 250 us */
static void test_glitches(void **state)
{
	u32 warned = 0;

	for (u32 every = 150; every < 4000; every += 501) {
		setup(NULL);
		glitch_every = every;
		boot();
		if (fake_log_warnings)
			warned++;
		else
			is_right(5100); /* two windows agree within 0.2 % */
		glitch_every = 0;
	}
	assert_true(warned < 3);
}

static void test_told(void **state)
{
	told = KHZ - 3;
	boot();
	assert_int_equal(tsc_khz, KHZ - 3);
	refine_now();
	assert_int_equal(tsc_khz, KHZ - 3);
	assert_int_equal(changes, 0);
	assert_int_equal(fake_log_warnings, 0);
}

/* The crystal is another one: 25 MHz instead of 24 */
static void test_told_wrong(void **state)
{
	told = KHZ * 25 / 24;
	boot();
	is_right(30);
	assert_int_equal(fake_log_warnings, 1);
}

static void test_nominal(void **state)
{
	nominal = KHZ * 1004 / 1000;
	boot();
	is_right(30);
	assert_int_equal(fake_log_warnings, 0);
	setup(NULL);
	nominal = KHZ * 102 / 100;
	boot();
	is_right(30);
	assert_int_equal(fake_log_warnings, 1);
}

static void test_lapic(void **state)
{
	boot();
	assert_true(lapic_tsc >= khz / 2);
	assert_in_range(lapic_ticks * khz / lapic_tsc, 24900, 25100);
}

static void test_change(void **state)
{
	struct tsc_change c;

	boot();
	assert_false(tsc_rate_changed(&c));
	assert_int_equal(c.before_khz, tsc_khz);
	set_rate(KHZ + 40);
	change.before_khz = KHZ + 40;
	refine_now();
	assert_int_equal(changes, 1);
	is_right(3);
	assert_true(tsc_rate_changed(&c));
	assert_int_equal(c.before_khz, KHZ + 40);
	assert_int_equal(c.khz, tsc_khz);
	assert_true(c.since_tsc <= rdtsc());
}

/* It counts at another rate from now on: nothing that guests should hear of */
static void test_refined_beyond_belief(void **state)
{
	u64 settled;

	boot();
	settled = tsc_khz;
	hpet_hz = hpet.hz * 103 / 100;
	refine_now();
	assert_int_equal(tsc_khz, settled);
	assert_int_equal(changes, 0);
	assert_int_equal(fake_log_warnings, 1);
}

/* While a guest runs, a clock that stands still takes no time */
static void test_clock_stops(void **state)
{
	u64 start, settled;

	boot();
	settled = tsc_khz;
	tsc_refine_later(note_change);
	now_ps += 1000000000000ull;
	hpet.read = stands;
	start = now_ps;
	fake_timer_fire();
	assert_true(now_ps - start < 300000000ull);
	assert_int_equal(tsc_khz, settled);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_rates),
		T(test_window),
		T(test_clock_comes_round),
		T(test_smis),
		T(test_glitches),
		T(test_told),
		T(test_told_wrong),
		T(test_nominal),
		T(test_lapic),
		T(test_change),
		T(test_refined_beyond_belief),
		T(test_clock_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
