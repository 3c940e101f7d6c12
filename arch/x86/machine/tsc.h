/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calibrated TSC: the hypervisor's one clock. The cores' TSCs are taken to
 * be in step but for some ticks: what another core has noted may lie ahead, so
 * differences are compared with their sign. Any core, any context; constant
 * after tsc_init(), so no lock.
 */
#ifndef ARCH_X86_MACHINE_TSC_H
#define ARCH_X86_MACHINE_TSC_H

#include "lib/types.h"

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull

/* Ticks a millisecond; 0 before tsc_init() */
extern u64 tsc_khz;
/* The TSC at hv_start (hv/entry.asm) */
extern u64 tsc_boot;

/*
 * Finds the TSC's rate, and the LAPIC timer's where that has no TSC deadline.
 * CPUID or an MSR may tell it. Else it is measured for 2 ms beside the ACPI PM
 * timer at port @pm_timer (0: none), or beside the PIT's channel 2. If neither
 * moves, an error is logged and the TSC is taken to run at 1 GHz. Boot CPU,
 * once, after lapic_init_cpu(). SDM 2A CPUID, leaves 15H and 16H;
 * ACPI 6.4, 4.8.3.3 *Power Management Timer (PM_TMR)*.
 */
void tsc_init(u16 pm_timer);
/* Between TSC ticks and nanoseconds, rounded down; 0 before tsc_init() */
u64 tsc_to_ns(u64 ticks);
u64 ns_to_tsc(u64 ns);
/* Spins for @us microseconds; after tsc_init() */
void udelay(u64 us);

/* This core's TSC; not ordered against other instructions */
static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

#endif
