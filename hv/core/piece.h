/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of a long job a core does in one go. Interrupts are off in the
 * hypervisor, so whoever has much to do (a guest's RAM to zero, an image to
 * copy, REP on a device) does a piece of it, and the core looks at its timer
 * and its queue before the next. A piece is bounded by time and not by bytes:
 * memory may be slow, and a device's step dear.
 *
 * Any core, no lock.
 */
#ifndef HV_CORE_PIECE_H
#define HV_CORE_PIECE_H

#include "arch/x86/machine/tsc.h"

/* A quarter of what a core may take (hv/core/stretch.h): whoever asks has done
 * a step too many by then, and the way to the next look is not free */
#define PIECE_US        25u
#define PIECE_TICKS_MIN 25000u /* where a tick is an emulated instruction */

struct piece {
	u64 end; /* host TSC */
};

static inline struct piece piece_begin(void)
{
	u64 ticks = tsc_khz * PIECE_US / 1000;

	return (struct piece){ rdtsc() + MAX(ticks, (u64)PIECE_TICKS_MIN) };
}

/* Asked after each step, of at most a page or a device access */
static inline bool piece_over(const struct piece *p)
{
	return rdtsc() >= p->end;
}

#endif
