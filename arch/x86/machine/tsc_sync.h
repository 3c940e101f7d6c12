/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Are the cores' TSCs in step? Each other core is asked at its start, by
 * smp.c, and moved if it is not. Boot CPU but for tsc_sync_answer(); no lock.
 */
#ifndef ARCH_X86_MACHINE_TSC_SYNC_H
#define ARCH_X86_MACHINE_TSC_SYNC_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

/*
 * Compares the TSC of @cpu, which waits in tsc_sync_answer(), with this core's,
 * and moves it until neither is seen to run backwards. It takes 200 us where
 * cores answer; all together have half a second, and one that is silent a
 * second.
 */
void tsc_sync_with(struct pcpu *cpu);
/* Answers the boot CPU, if it asks. @self: this core's; it calls this again and
 * again, with interrupts off. */
void tsc_sync_answer(struct pcpu *self);
/* Logs which cores are apart, and by how much. Once, after all were asked, or
 * when there are no others. */
void tsc_sync_report(void);
/* Has every core the same TSC, at a rate that never changes? Any core; constant
 * after tsc_sync_report(). SDM 3B 18.17.1 *Invariant TSC*. */
bool tsc_is_stable(void);

#endif
