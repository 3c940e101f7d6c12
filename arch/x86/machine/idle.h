/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a core of the hypervisor waits for an interrupt. Interrupts are off in
 * all that is here, and each function acts on this core; no lock.
 */
#ifndef ARCH_X86_MACHINE_IDLE_H
#define ARCH_X86_MACHINE_IDLE_H

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/guest_barrier.h"
#include "arch/x86/cpu/percpu.h"

/* Which states this machine has. Boot CPU, after cpu_features_init(). */
void idle_init(void);
/* Each core: AMD's C1E goes off, in which the LAPIC timer stands still */
void idle_init_cpu(void);
/* Is this core one that sleeps long? Each second on each core, by who looks at
 * it anyway (hv/run/watchdog.c). */
void idle_look(struct pcpu *cpu);
/* As idle_wait(), where the sleep may be deep */
void idle_wait_deep(struct pcpu *cpu);

/*
 * Waits for an interrupt, takes it, and returns with interrupts off. One that
 * comes before the core sleeps ends that at once. The core's buffers are
 * cleared first, for its sibling's sake (guest_barrier.h).
 */
static inline void idle_wait(struct pcpu *cpu)
{
	if (unlikely(cpu->deep_left)) {
		idle_wait_deep(cpu);
		return;
	}
	halt_barrier();
	cpu_idle_once();
}

#endif
