/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "Each core has let go": guests are looked up without a lock (hv/core/vm.h),
 * and what a guest may reach stays in TLBs. So before a guest's parts are
 * freed, or memory that was taken from a table is anyone else's, each core goes
 * through the head of its run loop once. There it holds no guest that it looked
 * up, and drops what it may have cached of the privileged guest's memory.
 *
 * Nobody is stopped, and nobody spins: who asks gets a number and looks again
 * later. A core that hangs never passes; then what waits is kept for good, and
 * hv/run/watchdog.c has said so. Any core, no lock.
 */
#ifndef HV_CORE_QUIESCE_H
#define HV_CORE_QUIESCE_H

#include "lib/types.h"

struct quiesce {
	u64 number;
	u32 next; /* the first core that has not passed, as known */
};

/* Ask each core, this one too, to pass once */
struct quiesce quiesce_ask(void);
/* Have all passed since? It looks at some cores a call, so ask again. One asker
 * at a time for each @q. */
bool quiesce_over(struct quiesce *q);
/* PCPU_PASS: this core passes, at the head of its run loop, and does @act */
void quiesce_pass(void (*act)(void));

#endif
