/* SPDX-License-Identifier: BSD-2-Clause */
/* What debugger.c knows of the guest that it debugs, debugged.c: a loop whose
 * R12 and R13 say where this is. Virtual addresses are physical ones. */
#ifndef TESTS_GUEST_LIB_DEBUGGED_H
#define TESTS_GUEST_LIB_DEBUGGED_H

#include "lib/types.h"

#define DEBUGGED_MAGIC 0x6465627567676564ull /* R12 in the loop */

struct debugged {
	u64 watched; /* counts the loop's turns */
	u64 wrong;   /* turns that found another DR3 than the guest's */
	u64 ends;    /* by the debugger: not 0, the guest is to end */
	u64 handled; /* software interrupts, each with a CPUID */
	u64 traps;   /* #DB: none is the guest's */
	/* Where the loop writes, reads, clears EAX, exits, and raises the
	 * interrupt, and what is behind the instruction that follows it */
	u64 write, read, clear, exit, raise, after;
	u64 handler; /* of the interrupt */
};

#endif
