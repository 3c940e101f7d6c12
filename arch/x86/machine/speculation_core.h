/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSRs of the choice of arch/x86/cpu/speculation.h */
#ifndef ARCH_X86_MACHINE_SPECULATION_CORE_H
#define ARCH_X86_MACHINE_SPECULATION_CORE_H

/* Sets the MSRs that the choice asks for on this core; one that does not take
 * its bits is named in the log. Each core, once, before its first guest. */
void speculation_init_core(void);

#endif
