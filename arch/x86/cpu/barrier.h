/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must be forgotten when a core goes from one guest to another: branch
 * predictions (IBPB), the level-1 data cache (L1TF) and the buffers that MDS
 * samples. Each only where the CPU says that it is affected and has the means.
 * SDM 3A 11, Intel's "L1 Terminal Fault" and "Microarchitectural Data
 * Sampling" deep dives; AMD's "Indirect Branch Control Extension".
 */
#ifndef ARCH_X86_CPU_BARRIER_H
#define ARCH_X86_CPU_BARRIER_H

/* This core, before the first entry of another guest's vCPU. Not on the exit
 * path: only when the guest changes. */
void guest_barrier(void);

#endif
