/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See nmi.h. Called by idt.c in an NMI, and by hv/run/nmi.c in the run loop.
 * The counters are a core's own, written in its NMIs: atomic; no lock.
 */
#include "arch/x86/machine/nmi.h"

#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/lapic.h"

static u32 counts[MAX_CPUS]; /* by the core's id */

/* A core that is about to enter its guest, or to halt, has looked at its
 * pending bits already. An interrupt that waits ends either at once. */
void nmi_note(void)
{
	struct pcpu *cpu = this_cpu();

	__atomic_fetch_add(&counts[cpu->id], 1, __ATOMIC_RELAXED);
	__atomic_fetch_or(&cpu->pending, (u32)PCPU_NMI, __ATOMIC_SEQ_CST);
	if (lapic_ready())
		lapic_kick_self();
}

u32 nmi_taken(void)
{
	return __atomic_exchange_n(&counts[this_cpu()->id], 0,
				   __ATOMIC_RELAXED);
}

void nmi_stop(void)
{
	lapic_mask_lint1();
}
