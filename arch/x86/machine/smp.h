/* SPDX-License-Identifier: BSD-2-Clause */
/* Bring-up of the other cores (smp.c), and what one core asks of another
 * (smp_call.c) */
#ifndef ARCH_X86_MACHINE_SMP_H
#define ARCH_X86_MACHINE_SMP_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

/*
 * Starts all @count cores of @apic_ids but this one, by INIT and SIPIs to some
 * at once. Each runs @prepare(its pcpu) on its own stack, as it is after
 * cpu_init_this() and lapic_init_cpu(). Those that return 0 get their numbers,
 * are online, and run @entry(its pcpu), which counts turns. A core that does
 * not answer, fails or hangs in @prepare is logged, left out and never waited
 * for again; pcpu.id is provisional in @prepare. @trampoline_hpa is a page
 * below 1 MiB that is the hypervisor's and is overwritten.
 *
 * Returns how many cores are online, this one included; 1 at worst. Boot CPU,
 * once, after tsc_init(). SDM 3A 9.4.4 *MP Initialization Example*.
 */
u32 smp_start(const u32 *apic_ids, u32 count, hpa_t trampoline_hpa,
	      int (*prepare)(struct pcpu *), void (*entry)(struct pcpu *));
/* Sets @pending_bits, of enum pcpu_pending or none, and makes @cpu look at
 * them: by an IPI, if it is another core that has not all of them set yet. A
 * full barrier. Any core, any context; no lock. */
void pcpu_kick(struct pcpu *cpu, u32 pending_bits);
/* Until an interrupt comes, pcpu_kick()'s or another: one that came before ends
 * it at once. Interrupts are off, as they are behind it. */
void smp_sleep(void);
/*
 * Lets every core that is online come to a stand, runs @change(@arg) here, and
 * then @after(@arg) on each core, this one too; either may be NULL. Interrupts
 * are off on all of them. The caller has them off, too. It holds no lock,
 * because a core that spins for one does not come, and it is no interrupt
 * handler.
 *
 * Returns what @change returned; 0 if it is NULL. -ETIMEDOUT: a core did not
 * come in time, which is logged; neither function has run. One that hangs in
 * @after is a panic.
 */
int __must_check smp_rendezvous(int (*change)(void *arg),
				void (*after)(void *arg), void *arg);
/* Goes to the rendezvous that waits for this core, if one does. VEC_KICK's
 * handler. */
void smp_take_call(void);
/* Goes there for who has just taken PCPU_CALL out of this core's pending */
void smp_call_run(void);
/* Sends an NMI to every other core that came up; it halts, since this one
 * panics (idt.c). Any context, no lock. Does nothing before
 * lapic_init_cpu(). */
void smp_stop_others(void);

#endif
