/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control-flow enforcement of the hypervisor itself, where the CPU has it (SDM
 * 1 17 *Control-flow Enforcement Technology (CET)*; APM 2 18 *Shadow Stacks*).
 * An indirect branch must lead to an ENDBR64, and a return to where the shadow
 * stack says that the call was. Else there is a #CP, which is a panic.
 *
 * Each stack of a core has a shadow stack in the page below it (cpu_area.h).
 * Guests are not offered CET: CR4.CET stays clear while they run.
 */
#ifndef ARCH_X86_CPU_CET_H
#define ARCH_X86_CPU_CET_H

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cpu_area.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"

/* What MSR_S_CET holds on every core from cet_start() on; 0: no CET. Constant
 * after cet_init(). */
extern u64 cet_controls;

/* Decides what is used and logs it. Boot CPU, once, after cpu_features_init()
 * and before the first cpu_guard_stacks(). */
void cet_init(void);

static inline bool cet_has_shadow_stacks(void)
{
	return cet_controls & S_CET_SH_STK_EN;
}

/*
 * Turns it on on this core. The functions that are in progress have no return
 * addresses on the shadow stack: so it is inlined into one that never returns.
 * Each core once, after cpu_guard_stacks() for it.
 */
static inline __attribute__((always_inline)) void
cet_start(const struct pcpu *cpu)
{
	u64 cr4;

	if (!cet_controls)
		return;
	cr4 = read_cr4() | CR4_CET;
	wrmsr(MSR_S_CET, cet_controls);
	if (!cet_has_shadow_stacks()) {
		write_cr4(cr4);
		return;
	}
	wrmsr(MSR_PL0_SSP, cpu_area_shadow_token(cpu, IST_NONE));
	wrmsr(MSR_INTERRUPT_SSP_TABLE, cpu_area_shadow_table(cpu));
	/* No call in between: there is no shadow stack before SETSSBSY */
	__asm__ volatile("mov %0, %%cr4\n\tsetssbsy" : : "r"(cr4) : "memory");
}

#endif
