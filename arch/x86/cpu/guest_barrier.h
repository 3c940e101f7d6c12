/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a core must forget when it goes from one guest to another: branch
 * predictions (IBPB), the level-1 data cache (L1TF) and the buffers that MDS
 * samples. Each is done only where the CPU says that it is affected and has the
 * means. Intel's "L1 Terminal Fault" and "Microarchitectural Data Sampling"
 * deep dives; AMD's "Indirect Branch Control Extension"; the MSRs are in SDM 4
 * 2.1 *Architectural MSRs*.
 */
#ifndef ARCH_X86_CPU_GUEST_BARRIER_H
#define ARCH_X86_CPU_GUEST_BARRIER_H

/* Does what is needed on this core, before the first entry of another guest's
 * vCPU (hv/vm/vcpu.c). Takes tens of microseconds at worst, so it is not for
 * each exit. After cpu_features_init(); no lock. */
void guest_barrier(void);

#endif
