/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory block of a core:
 *
 *	+0	stack 0: struct cpu_area at its bottom, the core's one stack
 *	+16K	NMI stack (IST 1)	each with a pointer to the pcpu as
 *	+32K	#DF stack (IST 2)	its bottom word, so that this_cpu()
 *	+48K	#MC stack (IST 3)	works on them too
 *
 * Private to arch/x86/cpu.
 */
#ifndef ARCH_X86_CPU_CPU_AREA_H
#define ARCH_X86_CPU_CPU_AREA_H

#include "arch/x86/cpu/gdt.h"

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

#define STACK_CANARY 0x57ac6e0d0f570b0bull

struct cpu_area {
	struct pcpu pcpu; /* first */
	u64 gdt[GDT_ENTRIES];
	struct tss tss;
	u64 canary; /* a stack that grew too far hit this first */
};

#define CPU_AREA_SIZE  (4 * STACK_SIZE)
#define CPU_AREA_ORDER 4 /* pages, for pmm_alloc() */

extern u8 boot_cpu_area[CPU_AREA_SIZE];

/* Prepare a block (zero but for what hv/entry.asm wrote); any core */
struct pcpu *cpu_area_init(void *block);
/* Did this core's one stack stay above its struct cpu_area? */
bool cpu_area_intact(const struct pcpu *cpu);

#endif
