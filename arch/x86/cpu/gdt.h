/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU GDT and TSS, and the memory block of a core:
 *
 *	+0	stack 0: struct cpu_area at its bottom, the core's one stack
 *	+16K	NMI stack (IST 1)	each with a pointer to the pcpu as
 *	+32K	#DF stack (IST 2)	its bottom word, so that this_cpu()
 *	+48K	#MC stack (IST 3)	works on them too
 *
 * Under SVM the guest's TR is loaded from #VMEXIT to the next VMLOAD of host
 * state; GIF is 0 then, which holds NMI and #MC back (APM 2 15.17).
 */
#ifndef ARCH_X86_CPU_GDT_H
#define ARCH_X86_CPU_GDT_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS 0x18 /* two entries */
#define GDT_ENTRIES 5

enum ist { IST_NONE, IST_NMI, IST_DF, IST_MC, IST_COUNT };

/* 64-bit TSS (SDM 3A 8.7 "Task Management in 64-bit Mode") */
struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap_base;
} __packed;
static_assert(sizeof(struct tss) == 104, "TSS layout");

/* Lies at the bottom of a core's stack */
struct cpu_area {
	struct pcpu pcpu; /* first */
	u64 gdt[GDT_ENTRIES];
	struct tss tss;
};

#define CPU_AREA_SIZE (4 * STACK_SIZE)
#define CPU_AREA_ORDER 4 /* pages, for pmm_alloc() */

/* Prepare a zeroed block (CPU_AREA_SIZE, STACK_SIZE aligned); any core */
struct pcpu *cpu_area_init(void *block);
/* This core: load its GDT, segment registers and TR */
void gdt_load(struct pcpu *cpu);
/* For VMX host state */
u64 gdt_base(const struct pcpu *cpu);
u64 tss_base(const struct pcpu *cpu);

#endif
