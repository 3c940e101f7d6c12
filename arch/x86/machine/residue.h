/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware may have left in a core's MSRs: features that are hidden,
 * tracing into memory, a TSC that was moved. Each core puts its own right,
 * before anything else of the hypervisor runs on it. For cpu.c and smp.c.
 */
#ifndef ARCH_X86_MACHINE_RESIDUE_H
#define ARCH_X86_MACHINE_RESIDUE_H

#include "lib/types.h"

/* This core's, and first the boot CPU's, whose TSC is the measure; after
 * cpu_features_init() and idt_load(). True: CPUID says more than it did. */
bool residue_clear(void);
/* May IA32_MISC_ENABLE keep a core from turning NX on? After residue_clear() on
 * the boot CPU. */
bool residue_may_hide_nx(void);
/* Logs whose TSC was another than the boot CPU's; once the other cores run */
void residue_report(void);

#endif
