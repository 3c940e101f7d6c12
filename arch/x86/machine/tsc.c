/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TSC's rate, see tsc.h. tsc_init() is called by hv/init.c, the rest by all
 * who need time; no lock.
 *
 * On most machines CPUID or an MSR tells the rate exactly. Else it is measured
 * for WINDOW_US beside a clock of known rate. Both ends of the window lie at an
 * edge of that clock, between two TSC reads that are as close as they come. So
 * a short window is exact enough. The LAPIC timer is measured in the same
 * window.
 */
#include "arch/x86/machine/tsc.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/lapic.h"
#include "include/hw/acpi_pm.h"
#include "include/hw/cpuid.h"
#include "include/hw/i8254.h"
#include "include/hw/msr.h"
#include "lib/log.h"
#include "lib/string.h"

#define WINDOW_US    2000
#define FALLBACK_KHZ 1000000 /* no clock at all: wrong, but it moves */

u64 tsc_khz;
u64 tsc_boot;

static u64 ns_per_tick;  /* 32.32 */
static u64 ticks_per_ns; /* 32.32 */

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
	tsc_khz = khz;
	ns_per_tick = (NS_PER_MS << 32) / khz;
	ticks_per_ns = (khz << 32) / NS_PER_MS;
}

/* SDM 2A CPUID, leaf 15H *Time Stamp Counter and Nominal Core Crystal Clock* */
static u64 khz_from_crystal(void)
{
	struct cpuid ratio, freq;

	if (cpu_features.max_leaf < CPUID_TSC_RATIO)
		return 0;
	ratio = cpuid(CPUID_TSC_RATIO);
	if (!ratio.eax || !ratio.ebx)
		return 0;
	if (ratio.ecx)
		return (u64)ratio.ecx * ratio.ebx / ratio.eax / 1000;
	/* Crystal unknown: there the TSC runs at the base frequency */
	if (cpu_features.max_leaf < CPUID_FREQUENCY)
		return 0;
	freq = cpuid(CPUID_FREQUENCY);
	return (u64)(freq.eax & 0xffff) * 1000;
}

/* The timing leaf of a hypervisor below, of those that are known to have it */
static u64 khz_from_hypervisor(void)
{
	static const char *const known[] = { "VMwareVMware", "KVMKVMKVM" };

	if (!cpu_features.hypervisor ||
	    cpuid(CPUID_HV_BASE).eax < CPUID_HV_TIMING)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(cpu_features.hypervisor_name, known[i]) == 0)
			return cpuid(CPUID_HV_TIMING).eax;
	return 0;
}

#define AMD_FAMILY_FIRST 0x17
#define AMD_FAMILY_LAST  0x19
#define AMD_FID_KHZ      200000 /* 25 MHz steps over a divisor in eighths */

/* P-state 0 is the TSC's rate (PPR for family 17h-19h, MSRC001_0064) */
static u64 khz_from_pstate(void)
{
	u64 p, did;

	if (cpu_features.vendor != VENDOR_AMD || cpu_features.hypervisor ||
	    cpu_features.family < AMD_FAMILY_FIRST ||
	    cpu_features.family > AMD_FAMILY_LAST ||
	    rdmsr_safe(MSR_AMD_PSTATE0, &p) || !(p & PSTATE_EN))
		return 0;
	did = p >> PSTATE_DID_SHIFT & PSTATE_DID_MASK;
	return did ? (p & PSTATE_FID_MASK) * AMD_FID_KHZ / did : 0;
}

static u64 never_reads(void)
{
	return 0;
}

/* A clock of known rate that counts upward, modulo mask + 1 */
struct ref_clock {
	const char *name;
	u64 hz;
	u64 mask;
	u64 (*read)(void);
};

/*
 * ACPI 6.4, 4.8.3.3 *Power Management Timer (PM_TMR)*; it has 24 bits at least
 */
static u16 pm_port;

static u64 pm_read(void)
{
	return inl(pm_port);
}

/*
 * PIT channel 2 (8254 data sheet), gated by port 61h, with the speaker silent
 */
#define PIT_CH2       (PIT_PORT + 2)
#define PIT_CMD       (PIT_PORT + PIT_CONTROL)
#define PIT_SELECT2   (2u << PIT_SELECT_SHIFT)
#define PIT_CH2_MODE0 (PIT_SELECT2 | PIT_ACCESS_BOTH << PIT_ACCESS_SHIFT)
#define PIT_LATCH2    (PIT_SELECT2 | PIT_ACCESS_LATCH << PIT_ACCESS_SHIFT)

static void pit_start(void)
{
	u8 port61 = inb(NMI_SC_PORT) & (u8) ~(NMI_SC_SPEAKER | NMI_SC_GATE2);

	outb(NMI_SC_PORT, port61);
	outb(PIT_CMD, PIT_CH2_MODE0);
	outb(PIT_CH2, 0xff);
	outb(PIT_CH2, 0xff);
	outb(NMI_SC_PORT, port61 | NMI_SC_GATE2);
}

static u64 pit_read(void)
{
	u32 low;

	outb(PIT_CMD, PIT_LATCH2);
	low = inb(PIT_CH2);
	return 0xffff - (low | (u32)inb(PIT_CH2) << 8);
}

static const struct ref_clock pm_clock = { "ACPI PM timer", PM_TMR_HZ,
					   PM_TMR_MASK, pm_read };
static const struct ref_clock pit_clock = { "PIT", PIT_HZ, 0xffff, pit_read };
static const struct ref_clock no_clock = { "nothing", 1, 0, never_reads };

/* One moment on both clocks, and on the LAPIC timer shortly after */
struct sample {
	u64 tsc;
	u64 ref;
	u64 lapic_tsc;
	u32 lapic;
};

#define EDGES        6
#define EDGE_SPINS   100000
#define WINDOW_SPINS 10000000

/* Wait for an edge of @c, which was at *@tsc. Returns how sure that is, in TSC
 * ticks; UINT64_MAX: the clock stands still. */
static u64 wait_edge(const struct ref_clock *c, u64 *tsc, u64 *ref)
{
	u64 before = c->read() & c->mask;

	for (u32 i = 0; i < EDGE_SPINS; i++) {
		u64 t0 = rdtsc();
		u64 now = c->read() & c->mask;
		u64 t1 = rdtsc();

		if (now == before)
			continue;
		*tsc = t0 + (t1 - t0) / 2;
		*ref = now;
		return t1 - t0;
	}
	return UINT64_MAX;
}

static bool take_sample(const struct ref_clock *c, struct sample *s)
{
	u64 best = UINT64_MAX;

	for (u32 i = 0; i < EDGES; i++) {
		u64 tsc, ref;
		u64 width = wait_edge(c, &tsc, &ref);

		if (width >= best)
			continue;
		best = width;
		s->tsc = tsc;
		s->ref = ref;
	}
	return best != UINT64_MAX;
}

static void take_lapic(struct sample *s)
{
	s->lapic = lapic_timer_count();
	s->lapic_tsc = rdtsc();
}

static u64 measure(const struct ref_clock *c)
{
	u64 window = c->hz * WINDOW_US / 1000000;
	struct sample a, b;
	u64 ref;

	if (!take_sample(c, &a))
		return 0;
	for (u32 i = 0; i < WINDOW_SPINS; i++)
		if (((c->read() - a.ref) & c->mask) >= window)
			break;
	if (!take_sample(c, &b))
		return 0;
	ref = (b.ref - a.ref) & c->mask;
	if (!ref)
		return 0;
	return (b.tsc - a.tsc) * c->hz / ref / 1000;
}

static u64 khz_from_clock(const struct ref_clock **used)
{
	u64 khz = 0;

	if (pm_port) {
		*used = &pm_clock;
		khz = measure(&pm_clock);
	}
	if (!khz) {
		*used = &pit_clock;
		pit_start();
		khz = measure(&pit_clock);
	}
	return khz;
}

static u64 find_khz(const char **how)
{
	static const struct {
		const char *name;
		u64 (*khz)(void);
	} told[] = {
		{ "CPUID 15h", khz_from_crystal },
		{ "the hypervisor below", khz_from_hypervisor },
		{ "P-state 0", khz_from_pstate },
	};
	const struct ref_clock *clock = &no_clock;
	u64 khz;

	for (u32 i = 0; i < ARRAY_SIZE(told); i++) {
		*how = told[i].name;
		khz = told[i].khz();
		if (khz)
			return khz;
	}
	khz = khz_from_clock(&clock);
	*how = clock->name;
	return khz;
}

/* Long enough to know the LAPIC timer's rate within 0.01 % */
#define LAPIC_WINDOW_US 500

static void measure_lapic(const struct sample *start)
{
	u64 end = start->lapic_tsc + ns_to_tsc(LAPIC_WINDOW_US * NS_PER_US);
	struct sample now;

	while (rdtsc() < end)
		cpu_pause();
	take_lapic(&now);
	lapic_timer_set_rate(now.lapic - start->lapic,
			     now.lapic_tsc - start->lapic_tsc);
}

void tsc_init(u16 pm_timer)
{
	bool count = lapic_timer_count_start();
	struct sample start = { 0 };
	const char *how;
	u64 khz;

	pm_port = pm_timer;
	if (count)
		take_lapic(&start);
	khz = find_khz(&how);
	if (!khz)
		log_error("tsc", "neither the PM timer nor the PIT moves: the "
				 "TSC is taken to run at 1 GHz");
	set_rate(khz ? khz : FALLBACK_KHZ);
	if (count)
		measure_lapic(&start);
	log_info("tsc", "%llu.%03llu MHz by %s", tsc_khz / 1000, tsc_khz % 1000,
		 how);
	if (!cpu_features.invariant_tsc && !cpu_features.hypervisor)
		log_warn("tsc", "the TSC is not invariant: time drifts when "
				"the clock of a core changes");
}
