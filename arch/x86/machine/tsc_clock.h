/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A clock of known rate beside the TSC, for tsc.c: moments on both, and the
 * TSC's rate between two of them. Boot CPU; no lock.
 */
#ifndef ARCH_X86_MACHINE_TSC_CLOCK_H
#define ARCH_X86_MACHINE_TSC_CLOCK_H

#include "lib/types.h"

/* Rates that agree are within 0.2 %: more than a measurement is wrong */
#define KHZ_AGREE_SHIFT 9

/* It counts upward, modulo mask + 1 */
struct ref_clock {
	const char *name;
	u64 hz;
	u64 mask;
	u64 (*read)(void);
};

/* One moment on both: the TSC is right within @width ticks */
struct clock_sample {
	u64 tsc, ref, width;
};

/* Looks for a moment at an edge of @c, the surest of a few, each after @spins
 * reads at most. False: the clock stands still. */
bool clock_sample(const struct ref_clock *c, u32 spins, struct clock_sample *s);
/*
 * The TSC's rate from @a to @b in kHz. @rough_khz tells how often @c has come
 * round meanwhile: it is wrong by less than half a round; 0: not at all.
 * 0: @c has not moved.
 */
u64 clock_khz(const struct ref_clock *c, const struct clock_sample *a,
	      const struct clock_sample *b, u64 rough_khz);
/*
 * A first rate, within some 0.1 %: of three windows of 2 ms the one whose
 * halves agree best. *@first is the moment at which it began. 0: @c stands
 * still.
 */
u64 clock_rough_khz(const struct ref_clock *c, struct clock_sample *first);
static inline u64 khz_apart(u64 a, u64 b)
{
	return a > b ? a - b : b - a;
}

/* The ACPI PM timer at @port, and the PIT's channel 2, which it starts */
const struct ref_clock *clock_pm_timer(u16 port);
const struct ref_clock *clock_pit(void);

#endif
