/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TSC's rate, see tsc.h. tsc_init() and tsc_settle() are called by
 * hv/init.c, the rest by all who need time; no lock.
 *
 * A rate that is told exactly is used, if the clock beside it agrees within a
 * percent. Else it is measured, thrice from one moment on: for 2 ms, which is
 * good enough to start the other cores by; then for 50 ms, of which the rest of
 * the boot takes the most; and for a second, while guests run. Only the first
 * needs a clock that does not come round meanwhile. The LAPIC timer is measured
 * against the TSC in the first of them.
 */
#include "arch/x86/machine/tsc.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc_clock.h"
#include "arch/x86/machine/tsc_told.h"
#include "lib/log.h"

#define SETTLE_US      50000
#define SETTLE_TRIES   3
#define SETTLE_SPINS   100000
#define REFINE_MS      1000
#define REFINE_SPINS   200
#define SURE_SHIFT     14      /* 60 ppm */
#define PERCENT        100     /* what is told may be wrong by one */
#define FALLBACK_KHZ   1000000 /* no clock at all: wrong, but it moves */
#define LAPIC_LEAST_US 500

u64 tsc_khz;
u64 tsc_boot;

static u64 ns_per_tick;  /* 32.32 */
static u64 ticks_per_ns; /* 32.32 */

static const struct ref_clock *beside; /* NULL: none moves */
static struct clock_sample origin;
static bool exact;       /* it was told */
static bool clock_stays; /* guests leave it alone */
static const char *source = "nothing";

/* since_tsc: atomic, the last one written; before_khz: by tsc_settle() */
static struct tsc_change change;
static void (*changed)(void);

u64 tsc_to_ns(u64 ticks)
{
	return (u64)((unsigned __int128)ticks * ns_per_tick >> 32);
}

u64 ns_to_tsc(u64 ns)
{
	return (u64)((unsigned __int128)ns * ticks_per_ns >> 32);
}

void udelay(u64 us)
{
	u64 end = rdtsc() + ns_to_tsc(us * NS_PER_US);

	while (rdtsc() < end)
		cpu_pause();
}

static void set_rate(u64 khz)
{
	WRITE_ONCE(tsc_khz, khz);
	WRITE_ONCE(ns_per_tick, (NS_PER_MS << 32) / khz);
	WRITE_ONCE(ticks_per_ns, (khz << 32) / NS_PER_MS);
}

/* The first clock that moves; returns the rate beside it, or 0 */
static u64 pick_clock(u16 pm_timer, const struct ref_clock *hpet)
{
	u64 khz = 0;

	clock_stays = true;
	if (pm_timer) {
		beside = clock_pm_timer(pm_timer);
		khz = clock_rough_khz(beside, &origin);
	}
	if (!khz && hpet) {
		beside = hpet;
		khz = clock_rough_khz(beside, &origin);
	}
	if (!khz) {
		beside = clock_pit();
		clock_stays = false;
		khz = clock_rough_khz(beside, &origin);
	}
	if (!khz)
		beside = NULL;
	return khz;
}

/* A rate that is told, if it can be; 0: it is not to be believed */
static u64 told_khz(u64 rough)
{
	const char *by;
	u64 khz = tsc_told_khz(cpuid_count, &by);

	if (!khz)
		return 0;
	if (rough && khz_apart(khz, rough) > rough / PERCENT) {
		log_warn("tsc",
			 "%s tells %llu kHz, but beside the %s it is %llu kHz: "
			 "the TSC is measured",
			 by, khz, beside->name, rough);
		return 0;
	}
	source = by;
	return khz;
}

static u64 first_khz(u64 rough)
{
	u64 khz = told_khz(rough);

	exact = khz;
	if (khz)
		return khz;
	if (rough) {
		source = beside->name;
		return rough;
	}
	khz = tsc_nominal_khz(cpuid_count, &source);
	log_error("tsc",
		  "neither the PM timer nor an HPET nor the PIT moves: "
		  "the TSC is taken to run at %llu kHz",
		  khz ? khz : FALLBACK_KHZ);
	return khz ? khz : FALLBACK_KHZ;
}

/* From a moment on both on; rounded, which a window of milliseconds allows */
static void measure_lapic(u64 start_tsc, u32 start_count)
{
	u64 end = start_tsc + ns_to_tsc(LAPIC_LEAST_US * NS_PER_US);
	u32 count;

	while (rdtsc() < end)
		cpu_pause();
	count = lapic_timer_count();
	lapic_timer_set_rate(count - start_count, rdtsc() - start_tsc);
}

void tsc_init(u16 pm_timer, const struct ref_clock *hpet)
{
	bool count = lapic_timer_count_start();
	u32 start_count = count ? lapic_timer_count() : 0;
	u64 start_tsc = rdtsc();

	set_rate(first_khz(pick_clock(pm_timer, hpet)));
	if (count)
		measure_lapic(start_tsc, start_count);
}

/* From `origin` on, or from where a window ended that disagrees with the one
 * before: two that follow each other have to agree */
static u64 settled_khz(void)
{
	struct clock_sample now;
	u64 last = tsc_khz, khz;

	for (u32 i = 0; i < SETTLE_TRIES; i++) {
		u64 end = origin.tsc + ns_to_tsc(SETTLE_US * NS_PER_US);

		while (rdtsc() < end)
			cpu_pause();
		if (!clock_sample(beside, SETTLE_SPINS, &now))
			return last;
		khz = clock_khz(beside, &origin, &now, tsc_khz);
		if (khz_apart(khz, last) <= last >> KHZ_AGREE_SHIFT)
			return khz;
		origin = now;
		last = khz ? khz : last;
	}
	log_warn("tsc",
		 "no two measurements beside the %s agree: guests' clocks may "
		 "be wrong by more than 0.2 %%",
		 beside->name);
	return last;
}

/* What stands on the label is rounded, and crystals are not exact */
static void check_nominal(void)
{
	const char *by;
	u64 khz = tsc_nominal_khz(cpuid_count, &by);

	if (khz && khz_apart(khz, tsc_khz) > tsc_khz / PERCENT)
		log_warn("tsc",
			 "%s tells %llu kHz, which is not within a percent of "
			 "the rate in use",
			 by, khz);
}

void tsc_settle(void)
{
	if (beside && !exact)
		set_rate(settled_khz());
	change.before_khz = tsc_khz;
	log_info("tsc", "%llu.%03llu MHz by %s", tsc_khz / 1000, tsc_khz % 1000,
		 source);
	if (beside || exact)
		check_nominal();
}

bool tsc_rate_changed(struct tsc_change *c)
{
	u64 since = __atomic_load_n(&change.since_tsc, __ATOMIC_ACQUIRE);

	*c = (struct tsc_change){ .before_khz = change.before_khz,
				  .khz = since ? change.khz : 0,
				  .since_tsc = since };
	return since;
}

static void publish(u64 khz)
{
	u64 off = khz_apart(khz, tsc_khz);

	log_info("tsc", "%llu.%03llu MHz, measured for a second: %s%llu ppm",
		 khz / 1000, khz % 1000, khz < tsc_khz ? "-" : "+",
		 off * 1000000 / tsc_khz);
	if (!off)
		return;
	change.khz = khz;
	set_rate(khz);
	__atomic_store_n(&change.since_tsc, rdtsc(), __ATOMIC_RELEASE);
	changed();
}

static void refine(struct timer *t)
{
	struct clock_sample now;
	u64 khz;

	if (!clock_sample(beside, REFINE_SPINS, &now) ||
	    now.width > (now.tsc - origin.tsc) >> SURE_SHIFT)
		return;
	khz = clock_khz(beside, &origin, &now, tsc_khz);
	if (khz_apart(khz, tsc_khz) > tsc_khz / PERCENT)
		log_warn("tsc",
			 "beside the %s it was %llu kHz for a second, which is "
			 "not within a percent of the rate in use",
			 beside->name, khz);
	else if (!exact && khz)
		publish(khz);
}

void tsc_refine_later(void (*then)(void))
{
	static struct timer timer = { .fn = refine };

	changed = then;
	if (beside && clock_stays)
		timer_arm(&timer,
			  origin.tsc + ns_to_tsc(REFINE_MS * NS_PER_MS));
}
