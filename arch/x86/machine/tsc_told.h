/* SPDX-License-Identifier: BSD-2-Clause */
/* What the processor, or a hypervisor below, tells of the TSC's rate; for
 * tsc.c. After cpu_features_init(); no lock. */
#ifndef ARCH_X86_MACHINE_TSC_TOLD_H
#define ARCH_X86_MACHINE_TSC_TOLD_H

#include "arch/x86/cpu/asm.h"
#include "lib/types.h"

/* The rate in kHz where it is told exactly, and by whom; 0: nowhere. @read is
 * cpuid_count(), or a test's. SDM 3B 20.7.3 *Determining the Processor Base
 * Frequency*. */
u64 tsc_told_khz(cpuid_reader read, const char **by);
/* What it is about, for the machine of a vendor who tells the nominal rate
 * alone: real ones are some 0.4 % off. 0: nothing is told. */
u64 tsc_nominal_khz(cpuid_reader read, const char **by);

#endif
