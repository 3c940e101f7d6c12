/* SPDX-License-Identifier: BSD-2-Clause */
/* The calibrated TSC: the hypervisor's one clock */
#ifndef ARCH_X86_CPU_TSC_H
#define ARCH_X86_CPU_TSC_H

#include "lib/types.h"

extern u64 tsc_khz; /* ticks a millisecond */
extern u64 tsc_boot; /* TSC at the hypervisor's entry */

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
