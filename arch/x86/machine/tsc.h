/* SPDX-License-Identifier: BSD-2-Clause */
/* The calibrated TSC: the hypervisor's one clock */
#ifndef ARCH_X86_MACHINE_TSC_H
#define ARCH_X86_MACHINE_TSC_H

#include "lib/types.h"

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull

extern u64 tsc_khz;  /* ticks a millisecond */
extern u64 tsc_boot; /* TSC at the hypervisor's entry */

/*
 * Boot CPU, after lapic_init_cpu(): find the TSC's rate, and the LAPIC timer's
 * unless it is in TSC-deadline mode. CPUID 15h/16h or a hypervisor's leaf where
 * they tell, else about 2 ms beside the ACPI PM timer at port @pm_timer (0:
 * none) or the PIT's channel 2. Panics only if no clock moves at all.
 */
void tsc_init(u16 pm_timer);
u64 tsc_to_ns(u64 ticks);
u64 ns_to_tsc(u64 ns);
void udelay(u64 us);

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

#endif
