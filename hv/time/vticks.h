/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Edge-triggered ticks of a periodic timer, for guests that may be late: ticks
 * that would be lost in one that still waits are kept and come afterwards. The
 * owner's lock.
 */
#ifndef HV_TIME_VTICKS_H
#define HV_TIME_VTICKS_H

#include "hv/irq/lines.h"

/* No device interrupts, or makes its core work, more often */
#define VTICKS_MIN_NS 50000ull
/* As often it is looked whether one that waits was taken at last */
#define VTICKS_WAIT_NS 1000000ull
/* Of a pause, at most so much is made up for */
#define VTICKS_KEPT_NS 250000000ull

struct vticks {
	enum line_source source;
	u64 kept;    /* ticks that are due and were not sent */
	u64 last;    /* host TSC when it last did anything */
	bool asleep; /* nobody would take one: no timer is needed */
	bool waits;  /* the last one was sent and not taken */
};

/* @count more ticks of @period TSC ticks (0: a single one) are due on @irq */
void vticks_add(struct vticks *t, struct vm *vm, u32 irq, u64 count,
		u64 period);
/* When to come again, given that the next tick is due at @due */
u64 vticks_next(const struct vticks *t, u64 due, u64 period);

#endif
