/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU GDT and TSS, in the core's memory block (cpu_area.h). NMI, #DF and
 * #MC have stacks of their own (IST).
 *
 * Under SVM the guest's TR is loaded from #VMEXIT to the next VMLOAD of host
 * state; GIF is 0 then, which holds NMI and #MC back (APM 2 15.17).
 */
#ifndef ARCH_X86_CPU_GDT_H
#define ARCH_X86_CPU_GDT_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

#define SEL_CODE    0x08
#define SEL_DATA    0x10
#define SEL_TSS     0x18 /* two entries */
#define GDT_ENTRIES 5

enum ist { IST_NONE, IST_NMI, IST_DF, IST_MC, IST_COUNT };

/* This core: load its GDT, segment registers and TR */
void gdt_load(struct pcpu *cpu);
/* For VMX host state */
u64 gdt_base(const struct pcpu *cpu);
u64 tss_base(const struct pcpu *cpu);

#endif
