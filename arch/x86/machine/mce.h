/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine checks (SDM 3B 16 "Machine-Check Architecture"; APM 2 9). Every bank
 * reports; an error that the hardware calls contained costs the guest it hit,
 * any other stops the machine.
 */
#ifndef ARCH_X86_MACHINE_MCE_H
#define ARCH_X86_MACHINE_MCE_H

#include "lib/types.h"

enum mce_verdict {
	MCE_NONE,      /* nothing of this core: another's, broadcast to all */
	MCE_CONTAINED, /* what ran cannot go on, the rest can */
	MCE_FATAL,     /* state of the core or of the machine is lost */
};

/* This core: let every bank report. After CR4.MCE is set. */
void mce_init_cpu(void);
/*
 * This core took a #MC, by exception or by exit: log what the banks say, clear
 * them, and judge. Any context; a nested #MC before it returns shuts the core
 * down (MCG_STATUS.MCIP).
 */
enum mce_verdict mce_handle(void);

#endif
