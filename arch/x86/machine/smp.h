/* SPDX-License-Identifier: BSD-2-Clause */
/* Bring-up of the other cores, and what one core asks of another */
#ifndef ARCH_X86_MACHINE_SMP_H
#define ARCH_X86_MACHINE_SMP_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

/*
 * Starts all @count cores of @apic_ids but this one, by INIT and SIPIs to all
 * at once, and waits until each is there or given up. A core that does not
 * answer is logged and left out. Each one runs @entry(its pcpu) on its own
 * stack, as it is after cpu_init_this() and lapic_init_cpu(). @trampoline_hpa
 * is a page below 1 MiB that is the hypervisor's and is overwritten.
 *
 * Returns how many cores are online, this one included; 1 at worst. Boot CPU,
 * once, after tsc_init(). SDM 3A 9.4.4 *MP Initialization Example*.
 */
u32 smp_start(const u32 *apic_ids, u32 count, hpa_t trampoline_hpa,
	      void (*entry)(struct pcpu *));
/* Sets @pending_bits, of enum pcpu_pending or none, and makes @cpu look at
 * them: by an IPI, if it is another core that has not all of them set yet. A
 * full barrier. Any core, any context; no lock. */
void pcpu_kick(struct pcpu *cpu, u32 pending_bits);
/*
 * Runs @fn(@arg) on every other core, with interrupts off there, and waits
 * until all have. The caller has interrupts off, too. It holds no lock, because
 * a core that spins for one does not serve the call, and it is no interrupt
 * handler. No core of pcpus[] has halted for good.
 */
void smp_call_others(void (*fn)(void *arg), void *arg);
/* Runs the call that waits for this core, if one does. VEC_KICK's handler. */
void smp_take_call(void);
/* Runs the call for who has just taken PCPU_CALL out of this core's pending */
void smp_call_run(void);
/* Sends an NMI to every other core that came up; it halts, since this one
 * panics (nmi_handle()). Any context, no lock. Does nothing before
 * lapic_init_cpu(). */
void smp_stop_others(void);

#endif
