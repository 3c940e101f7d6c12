/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs that the hypervisor has not sent itself: a board's button, a service
 * processor, a watchdog, a bus error. The core that takes one is told by
 * PCPU_NMI, since in the NMI itself any lock may be held.
 */
#ifndef ARCH_X86_MACHINE_NMI_H
#define ARCH_X86_MACHINE_NMI_H

#include "lib/types.h"

/* This core took such an NMI: PCPU_NMI is set, and the core is on its way to
 * look. Any context; takes no lock. */
void nmi_note(void);
/* How many this core took since the last call. On that core, interrupts off. */
u32 nmi_taken(void);
/* This core takes no more of them from LINT1 */
void nmi_stop(void);

#endif
