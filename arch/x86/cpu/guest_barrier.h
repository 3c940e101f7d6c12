/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a core must forget when it goes from one guest to another, beyond what
 * each exit and each entry drop already (speculation.h): branch predictions, by
 * IBPB (SDM 4 2.1 *Architectural MSRs*; AMD's *Indirect Branch Control
 * Extension*).
 */
#ifndef ARCH_X86_CPU_GUEST_BARRIER_H
#define ARCH_X86_CPU_GUEST_BARRIER_H

/* Does what is needed on this core, before the first entry of another guest's
 * vCPU. Takes microseconds, so it is not for each exit. After
 * speculation_init(). */
void guest_barrier(void);
/* Before this core halts: its buffers are cleared (VERW), where the sibling
 * thread would get a part of them with what they hold. After
 * speculation_init(). */
void halt_barrier(void);

#endif
