/* SPDX-License-Identifier: BSD-2-Clause */
/* What the processor, or a hypervisor below, tells of the TSC's rate; for
 * tsc.c. After cpu_features_init(); no lock. */
#ifndef ARCH_X86_MACHINE_TSC_TOLD_H
#define ARCH_X86_MACHINE_TSC_TOLD_H

#include "arch/x86/cpu/asm.h"
#include "lib/types.h"

/* The rate in kHz where it is told exactly, and by whom; 0: nowhere. CPUID 15h
 * tells it when EAX, EBX and ECX are all set: where ECX is 0, the crystal is
 * known by model alone. @read is cpuid_count(), or a test's. SDM 3B 20.7.3
 * *Determining the Processor Base Frequency*. */
u64 tsc_told_khz(cpuid_reader read, const char **by);
/* What it is about, by the crystal that the SDM has for this model or by the
 * rate on the label: real ones are some 0.4 % off. For a comparison, and where
 * no clock moves. 0: nothing is told. */
u64 tsc_nominal_khz(cpuid_reader read, const char **by);

#endif
