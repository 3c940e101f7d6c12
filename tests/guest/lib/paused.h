/* SPDX-License-Identifier: BSD-2-Clause */
/* What pauser.c knows of the guests that it pauses, paused.c: each turns a loop
 * whose R12 and R13 say where this is. Virtual addresses are physical ones. */
#ifndef TESTS_GUEST_LIB_PAUSED_H
#define TESTS_GUEST_LIB_PAUSED_H

#include "lib/types.h"

#define PAUSED_MAGIC 0x7061757365646721ull /* R12 in the loop */

struct paused {
	u64 turns; /* of the loop */
	u64 ends;  /* by the pauser: not 0, the guest is to end */
	/* What its clocks have counted, at the end of a turn */
	u64 tsc, kvm_ns, hpet, pm, ticks;
	u64 tsc_khz, hpet_hz, tick_us;
	u64 backwards; /* a vCPU's TSC was behind what the other had read */
};

#endif
