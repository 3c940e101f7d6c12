/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing a core into the hypervisor's own state. What hv/init.c calls of this
 * folder on the boot CPU, in this order:
 *
 *	cpu_boot_init()		this core; from here on logging and exceptions
 *				work
 *	irq_init()		masks the 8259s; needs nothing
 *	lapic_init_cpu()	maps and enables the LAPIC; needs hostmap_init()
 *	tsc_init(pm_timer)	calibrates TSC and LAPIC timer; needs ACPI
 *	smp_start(...)		the other cores: each does cpu_init_this() and
 *				lapic_init_cpu() before entry(pcpu)
 */
#ifndef ARCH_X86_MACHINE_CPU_H
#define ARCH_X86_MACHINE_CPU_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

/* The boot CPU, once, with interrupts off: features, CR0, CR4, EFER, PAT, GDT,
 * IDT, the log's prefix and lock */
void cpu_boot_init(void);
/* Another core on its own stack, interrupts off: control registers, host map,
 * GDT, IDT */
void cpu_init_this(struct pcpu *cpu);

#endif
