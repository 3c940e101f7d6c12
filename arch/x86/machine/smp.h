/* SPDX-License-Identifier: BSD-2-Clause */
/* Bring-up of the other cores, and what one core asks of another */
#ifndef ARCH_X86_MACHINE_SMP_H
#define ARCH_X86_MACHINE_SMP_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

/* INIT-SIPI-SIPI every core of @apic_ids (the boot CPU's own is skipped), all
 * at once, then wait for them together; a core that does not answer is logged
 * and left out. Each runs @entry(pcpu) on its own stack. @trampoline_hpa is a
 * page below 1 MiB that is free. Returns the number of cores online. */
/* Call with TSC and LAPIC ready. */
u32 smp_start(const u32 *apic_ids, u32 count, hpa_t trampoline_hpa,
	      void (*entry)(struct pcpu *));
/* Set bits of enum pcpu_pending and make @cpu look at them: an IPI only if it
 * is another core. Lock-free, any context. */
void pcpu_kick(struct pcpu *cpu, u32 pending_bits);
/* Run @fn(@arg) on every other online core and wait until all have run it.
 * Not from interrupt handlers. */
void smp_call_others(void (*fn)(void *arg), void *arg);
/* Run the call that waits for this core, if one does; VEC_KICK's handler */
void smp_take_call(void);
/* The same for who has just taken PCPU_CALL out of pending */
void smp_call_run(void);
/* An NMI to every other core that came up, which then halts if this one panics
 * (nmi_handle()). Any context, no lock; does nothing before lapic_init_cpu().
 */
void smp_stop_others(void);

#endif
