/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing a core into the hypervisor's own state. hv/init.c calls this folder
 * on the boot CPU in this order:
 *
 *	cpu_boot_init()		this core; from here on logging and exceptions
 *				work
 *	cpu_boot_control()	its control registers; there are consoles to say
 *				what goes wrong
 *	cpu_guard_stacks()	the boot CPU's; needs hostmap_init(), cet_init()
 *	irq_init()		masks the 8259s; needs nothing
 *	lapic_init_cpu()	maps and enables the LAPIC; needs hostmap_init()
 *	tsc_init(pm_timer, hpet) calibrates TSC and LAPIC timer; needs ACPI
 *	smp_start(...)		the other cores: each does cpu_init_this() and
 *				lapic_init_cpu() before entry(pcpu)
 */
#ifndef ARCH_X86_MACHINE_CPU_H
#define ARCH_X86_MACHINE_CPU_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

/*
 * Brings up the boot CPU: its pcpu, features, GDT, IDT, the log's prefix and
 * lock, and the panic that stops other cores. Once, first of all, on the boot
 * stack with interrupts off, still with the loader's page tables.
 */
void cpu_boot_init(void);
/* Sets the boot CPU's control registers, PAT, machine checks and memory
 * types, whatever firmware has left there. Once, right after it. */
void cpu_boot_control(void);
/*
 * Takes the guards below @cpu's stacks out of the map, so that a stack that
 * overflows faults, or makes shadow stacks of them (arch/x86/cpu/cet.h). Boot
 * CPU, once for each core, before another core runs; after hostmap_init() and
 * cet_init(). -ENOMEM.
 */
int __must_check cpu_guard_stacks(struct pcpu *cpu);
/* Both for another core, which runs this itself: control registers, the host's
 * page tables, GDT, IDT, machine checks, memory types. @cpu is its own, in use
 * as its stack; interrupts are off. By smp.c. */
void cpu_init_this(struct pcpu *cpu);

#endif
