/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hv/init.c calls of arch/x86/cpu, in this order on the boot CPU:
 *
 *	hv_main(boot_info_hpa)	called by entry.asm, interrupts off
 *	cpu_boot_init()		features, CR0/CR4/EFER/PAT, GDT, IDT, log
 *prefix; logging and exceptions work from here on hostmap_init(), acpi_init()
 *	irq_init()		masks the 8259s
 *	lapic_init_cpu()	maps and enables the LAPIC
 *	tsc_init(pm_timer)	calibrates TSC and LAPIC timer (tsc.h)
 *	smp_start(...)		each core does cpu_init_this() and
 *lapic_init_cpu() before entry(pcpu)
 */
#ifndef ARCH_X86_MACHINE_CPU_H
#define ARCH_X86_MACHINE_CPU_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

/* hv/init.c */
__noreturn void hv_main(u64 boot_info_hpa);
/* entry.asm: where the loaders jump to, RDI = boot_info */
void hv_start(void);

void cpu_boot_init(void);
/* A core on its own stack: control registers, host map, GDT, IDT */
void cpu_init_this(struct pcpu *cpu);

/* The log's `vm:vcpu` part: writes it to @buf, returns its length. Set by the
 * hv core, NULL: nothing. */
extern size_t (*log_guest_hook)(const struct vcpu *v, char *buf, size_t size);

#endif
