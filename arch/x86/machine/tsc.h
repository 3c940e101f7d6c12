/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calibrated TSC: the hypervisor's one clock. The cores' TSCs are taken to
 * be in step but for some ticks (tsc_sync.h): what another core has noted may
 * lie ahead, so differences are compared with their sign. Any core, any
 * context, no lock. The rate is rough after tsc_init() and good after
 * tsc_settle(). Once more it changes by some millionths, while guests run.
 */
#ifndef ARCH_X86_MACHINE_TSC_H
#define ARCH_X86_MACHINE_TSC_H

#include "lib/types.h"

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull

struct ref_clock; /* arch/x86/machine/tsc_clock.h */

/* Ticks a millisecond; 0 before tsc_init() */
extern u64 tsc_khz;
/* The TSC at hv_start (hv/entry.asm) */
extern u64 tsc_boot;

/*
 * Finds the TSC's rate, and the LAPIC timer's where that has no TSC deadline.
 * CPUID or a hypervisor below may tell it. Else it is measured for 2 ms beside
 * the first clock that moves: the ACPI PM timer at port @pm_timer (0: none),
 * @hpet (NULL: none), the PIT's channel 2. If none moves, an error is logged
 * and the TSC is taken to have its nominal rate, or 1 GHz. Boot CPU, once,
 * after lapic_init_cpu(). SDM 2A CPUID, leaves 15H and 16H;
 * ACPI 6.4, 4.8.3.3 *Power Management Timer (PM_TMR)*.
 */
void tsc_init(u16 pm_timer, const struct ref_clock *hpet);
/* What was measured is measured for 50 ms in all, and logged. Boot CPU, once,
 * before guests are made: they are told that rate. */
void tsc_settle(void);
/* A second after tsc_init() it is measured once more, by a timer of this core.
 * If the rate is another by then, @then is called there, with interrupts off.
 * Boot CPU, once, after tsc_settle(). */
void tsc_refine_later(void (*then)(void));

/* The one change of the rate while guests run */
struct tsc_change {
	u64 before_khz, khz;
	u64 since_tsc; /* the TSC from which on time goes by khz */
};
/* Has it been? False: before_khz is in force, the rest is 0. Any core, after
 * tsc_settle(). */
bool tsc_rate_changed(struct tsc_change *c);

/* Between TSC ticks and nanoseconds, rounded down; 0 before tsc_init() */
u64 tsc_to_ns(u64 ticks);
u64 ns_to_tsc(u64 ns);
/* Spins for @us microseconds; after tsc_init() */
void udelay(u64 us);

/* This core's TSC; not ordered against other instructions. The upper halves of
 * RAX and RDX are cleared (SDM 2B RDTSC). */
static inline u64 rdtsc(void)
{
	u64 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return hi << 32 | lo;
}

#endif
