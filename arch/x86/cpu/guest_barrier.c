/* SPDX-License-Identifier: BSD-2-Clause */
/* See guest_barrier.h. Called by hv/vm/vcpu.c and hv/run/loop.c on the core
 * itself; no lock. */
#include "arch/x86/cpu/guest_barrier.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/gdt.h"
#include "arch/x86/cpu/speculation.h"
#include "include/hw/msr.h"

void guest_barrier(void)
{
	if (speculation.actions & SPEC_IBPB_SWITCH)
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
}

void halt_barrier(void)
{
	static const u16 selector = SEL_DATA;

	if (speculation.verw_at_halt)
		__asm__ volatile("verw %0" : : "m"(selector) : "cc", "memory");
}
