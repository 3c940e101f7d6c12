/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each core's GDT and TSS, in its memory block (cpu_area.h). NMI, #DF and #MC
 * have stacks of their own (SDM 3A 6.14.5 *Interrupt Stack Table*).
 *
 * Under SVM the guest's TR stays loaded from #VMEXIT to the next VMLOAD of host
 * state. NMI and #MC would use it; GIF is 0 meanwhile and holds them back (APM
 * 2 15.17 *Global Interrupt Flag, STGI and CLGI Instructions*).
 */
#ifndef ARCH_X86_CPU_GDT_H
#define ARCH_X86_CPU_GDT_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

/* Selectors, the same on every core */
#define SEL_CODE    0x08
#define SEL_DATA    0x10
#define SEL_TSS     0x18 /* two entries */
#define GDT_ENTRIES 5

/* Index of a stack in the TSS; IST_NONE: the interrupted one goes on */
enum ist { IST_NONE, IST_NMI, IST_DF, IST_MC, IST_COUNT };

/* Loads GDT, segment registers and TR of this core; LDTR, FS and GS become
 * null.
 * @cpu is this core's, after cpu_area_init(). May be called again. */
void gdt_load(struct pcpu *cpu);
/* Linear addresses of @cpu's GDT and TSS, for the host state of a VMCS */
u64 gdt_base(const struct pcpu *cpu);
u64 tss_base(const struct pcpu *cpu);

#endif
