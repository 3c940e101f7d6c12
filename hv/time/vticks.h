/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Edge-triggered ticks of a periodic timer, for guests that may be late. A tick
 * that would be lost in one that still waits is kept and comes afterwards. Used
 * by the PIT and the HPET, under the owner's lock; the locks of hv/irq/lines.h
 * are taken inside it.
 */
#ifndef HV_TIME_VTICKS_H
#define HV_TIME_VTICKS_H

#include "hv/irq/lines.h"

/* The least time between two ticks, which bounds the work of the core */
#define VTICKS_MIN_NS 50000ull
/* While a tick waits for the guest, it is looked at this often */
#define VTICKS_WAIT_NS 1000000ull
/* After a pause, missed ticks of at most this time are delivered */
#define VTICKS_KEPT_NS 250000000ull

struct vticks {
	enum line_source source;
	u64 kept;    /* ticks that are due and were not sent */
	u64 last;    /* vtimer_now() of the last vticks_add() */
	bool asleep; /* nobody would take one: no timer is needed */
	bool waits;  /* the last one was sent and not taken */
};

/* @count more ticks are due on line @irq, with @period TSC ticks from one to
 * the next (0: a single tick). One is sent if the last was taken. If nobody
 * would take a tick, all are dropped and @t is asleep: the owner needs no timer
 * until a look of lines_listen(). */
void vticks_add(struct vticks *t, struct vm *vm, u32 irq, u64 count,
		u64 period);
/* The vtimer_now() at which to call vticks_add() again, if the next tick of the
 * device itself is due at @due. Ticks that are kept come at twice the rate. */
u64 vticks_next(const struct vticks *t, u64 due, u64 period);

#endif
