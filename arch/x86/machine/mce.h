/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine checks (SDM 3B 16 *Machine-Check Architecture*; APM 2 9 *Machine
 * Check Architecture*). Every bank reports. What the hardware has corrected, or
 * what nobody has used yet, is logged. An error that the hardware calls
 * contained ends the guest that it hit; any other stops the machine. No guest
 * reaches a bank; what was in one, the privileged guest finds in a virtual one
 * (hv/policy/mca.h). No locks but the log's.
 */
#ifndef ARCH_X86_MACHINE_MCE_H
#define ARCH_X86_MACHINE_MCE_H

#include "lib/types.h"

enum mce_verdict {
	MCE_NONE,      /* nothing to do: #MC may be broadcast to all */
	MCE_CONTAINED, /* what ran cannot go on, the rest can */
	MCE_FATAL,     /* state of the core or of the machine is lost */
};

struct mce_error {
	u32 bank;
	u64 status, addr, misc; /* 0 where the status calls them not valid */
};
/* An error was taken out of a bank of this core. Any context, a #MC's too; NULL
 * until somebody wants to know. */
extern void (*mce_taken_hook)(const struct mce_error *e);

/* Lets every bank of this core report, and logs and clears what a #MC was sent
 * for before the reset; the rest is the poll's. An error then comes to the core
 * that it hit alone, where the CPU can do that and firmware allows it. Each
 * core once, with CR4.MCE set and the IDT loaded. SDM 3B 16.8 *Machine-Check
 * Initialization*. */
void mce_init_cpu(void);
/* What all cores that were initialized have in common: MCG_CAP with the least
 * number of banks and the bits that each of them has; 0 before. Any core. */
u64 mce_common_cap(void);
/* What sends no #MC in @banks, a bit each, is the firmware's: it is neither
 * logged nor cleared. Boot CPU, before mce_poll_start(). */
void mce_leave_to_firmware(u64 banks);
/* Looks for what sends no #MC every ten seconds from now on. Each core once, in
 * its run loop. */
void mce_poll_start(void);
#define MCE_NO_ADDRESS (~0ull)
/*
 * Logs what this core's banks say, clears them and judges, after a #MC that it
 * took by exception or by exit. @address: of the memory that a contained error
 * is in, or MCE_NO_ADDRESS; it may be NULL. Any context. A second #MC before it
 * returns shuts the core down (MCG_STATUS.MCIP). SDM 3B 16.10.1 *Machine-Check
 * Exception Handler*.
 */
enum mce_verdict mce_handle(u64 *address);

#endif
