/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory block of a core, CPU_AREA_SIZE bytes. It has four stacks of
 * STACK_SIZE, by enum ist: the core's one, and those of NMI, #DF and #MC. Each
 * is laid out alike:
 *
 *	+0	what lies at the bottom, so that this_cpu() finds it: struct
 *		cpu_area, or on an IST stack a pointer to the pcpu
 *	+4K	the guard, which faults when a stack grows too far: nothing is
 *		mapped there, or the stack's shadow stack (cet.h), to which only
 *		calls may write
 *	+8K	the stack, which grows down from +32K
 *
 * For arch/x86 only: gdt.c fills it, arch/x86/machine allocates it and takes
 * the guards out of the map.
 */
#ifndef ARCH_X86_CPU_CPU_AREA_H
#define ARCH_X86_CPU_CPU_AREA_H

#include "arch/x86/cpu/gdt.h"
#include "include/hw/descriptor.h"

struct cpu_area {
	struct pcpu pcpu; /* first */
	u64 gdt[GDT_ENTRIES];
	struct tss64 tss;
	u64 shadow_table[8]; /* by IST index: each shadow stack's token */
};
#define GUARD_OFFSET PAGE_SIZE
static_assert(sizeof(struct cpu_area) <= GUARD_OFFSET, "below the guard");

#define CPU_AREA_SIZE  (IST_COUNT * STACK_SIZE)
#define CPU_AREA_ORDER 5 /* pages, for pmm_alloc() */
static_assert(CPU_AREA_SIZE == PAGE_SIZE << CPU_AREA_ORDER, "one block");

/* The boot CPU's block, in .bss; hv/entry.asm takes its first stack from it */
extern u8 boot_cpu_area[CPU_AREA_SIZE];

/*
 * Prepares a block of CPU_AREA_SIZE bytes, STACK_SIZE aligned and zero but for
 * the word that hv/entry.asm writes. Returns its pcpu, whose id and apic_id are
 * still the caller's to set. Any core: the boot CPU does it for itself and for
 * all others.
 */
struct pcpu *cpu_area_init(void *block);
/* The page below @cpu's stack @which; IST_NONE is the core's one stack. Any
 * core. */
void *cpu_area_guard(const struct pcpu *cpu, enum ist which);
/* Where @cpu's shadow stack @which begins: at its topmost word, which is its
 * token (SDM 1 17.2.3 *Supervisor Shadow Stack Token*). Any core. */
u64 cpu_area_shadow_token(const struct pcpu *cpu, enum ist which);
/* @cpu's table for MSR_INTERRUPT_SSP_TABLE. Any core. */
u64 cpu_area_shadow_table(const struct pcpu *cpu);
/* Writes the tokens and the table, while the guards can be written to. Boot
 * CPU. */
void cpu_area_shadow_init(struct pcpu *cpu);
/*
 * Which of @cpu's stacks overflowed, for a sentence such as "the NMI stack", or
 * NULL: none. It is judged by an exception of that core: its @vector, the @rsp
 * that it interrupted, and @cr2. Any core.
 */
const char *cpu_area_overflow(const struct pcpu *cpu, u64 vector, u64 rsp,
			      u64 cr2);
/* The lowest address of the stack in which @sp lies, above its guard */
u64 stack_bottom(u64 sp);

#endif
