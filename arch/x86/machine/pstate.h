/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast a core of the hypervisor runs. No guest has a say in it
 * (hv/policy/msr_rate.c), so nobody would raise what firmware left low.
 */
#ifndef ARCH_X86_MACHINE_PSTATE_H
#define ARCH_X86_MACHINE_PSTATE_H

/*
 * Asks for the highest rate that this core has, turbo included where setup has
 * it on. Left alone: a CPU that chooses for itself (Intel's HWP, AMD's CPPC),
 * one whose P-states setup has switched off, and what is below a hypervisor.
 * Each core, once, at its start; no lock. The boot core logs a change.
 */
void pstate_init_cpu(void);

#endif
