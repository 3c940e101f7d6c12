/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory block of a core:
 *
 *	+0	the core's one stack, with struct cpu_area at its bottom
 *	+16K	NMI stack (IST 1)	each with a pointer to the pcpu as
 *	+32K	#DF stack (IST 2)	its bottom word, so that this_cpu()
 *	+48K	#MC stack (IST 3)	works on them too
 *
 * For arch/x86 only: gdt.c fills it, arch/x86/machine allocates it.
 */
#ifndef ARCH_X86_CPU_CPU_AREA_H
#define ARCH_X86_CPU_CPU_AREA_H

#include "arch/x86/cpu/gdt.h"
#include "include/hw/descriptor.h"

#define STACK_CANARY 0x57ac6e0d0f570b0bull

struct cpu_area {
	struct pcpu pcpu; /* first */
	u64 gdt[GDT_ENTRIES];
	struct tss64 tss;
	u64 canary; /* a stack that grows too far hits this first */
};

#define CPU_AREA_SIZE  (4 * STACK_SIZE)
#define CPU_AREA_ORDER 4 /* pages, for pmm_alloc() */

/* The boot CPU's block, in .bss; hv/entry.asm takes its first stack from it */
extern u8 boot_cpu_area[CPU_AREA_SIZE];

/*
 * Prepares a block of CPU_AREA_SIZE bytes, STACK_SIZE aligned and zero but for
 * the word that hv/entry.asm writes. Returns its pcpu, whose id and apic_id are
 * still the caller's to set. Any core: the boot CPU does it for itself and for
 * all others.
 */
struct pcpu *cpu_area_init(void *block);
/* Has @cpu's one stack stayed above its struct cpu_area? Any core. */
bool cpu_area_intact(const struct pcpu *cpu);

#endif
