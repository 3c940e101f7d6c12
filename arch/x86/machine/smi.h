/* SPDX-License-Identifier: BSD-2-Clause */
/* How often this core's firmware has taken it for itself, where the CPU counts
 * that */
#ifndef ARCH_X86_MACHINE_SMI_H
#define ARCH_X86_MACHINE_SMI_H

#include "lib/types.h"

/* Notes the count of this core in pcpu.smis: SMIs since its reset, or ~0 where
 * the CPU has no such count. Any context of this core, after idt_load(). SDM 4,
 * MSR_SMI_COUNT (34h) of the models that have it. */
void smi_look(void);

#endif
