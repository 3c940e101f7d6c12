/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See gdt.h and cpu_area.h. Called by arch/x86/machine at bring-up. The GDT has
 * flat 64-bit code, data and the TSS, and does not change after gdt_load(). A
 * core touches its own block only; no lock.
 */
#include "arch/x86/cpu/gdt.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cpu_area.h"

static struct cpu_area *area_of(const struct pcpu *cpu)
{
	return (struct cpu_area *)(u64)cpu->self;
}

static void tss_descriptor(u64 desc[2], const struct tss64 *tss)
{
	u64 base = (u64)tss;

	desc[0] = DESC_TSS_AVAILABLE | (sizeof(*tss) - 1) |
		  (base & BITS(23, 0)) << 16 | (base & BITS(31, 24)) << 32;
	desc[1] = base >> 32;
}

static void tss_init(struct cpu_area *area)
{
	u8 *stack = (u8 *)area;

	area->tss.iomap_base = sizeof(area->tss);
	for (u32 i = IST_NMI; i < IST_COUNT; i++) {
		stack += STACK_SIZE;
		*(struct pcpu **)(void *)stack = &area->pcpu;
		area->tss.ist[i - 1] = (u64)stack + STACK_SIZE;
	}
}

struct pcpu *cpu_area_init(void *block)
{
	struct cpu_area *area = block;

	area->pcpu.self = &area->pcpu;
	area->pcpu.stack_top = (u64)block + STACK_SIZE;
	area->gdt[SEL_CODE / DESC_BYTES] = DESC_FLAT_CODE64;
	area->gdt[SEL_DATA / DESC_BYTES] = DESC_FLAT_DATA;
	tss_init(area);
	tss_descriptor(&area->gdt[SEL_TSS / DESC_BYTES], &area->tss);
	return &area->pcpu;
}

/* CS only changes by a far return; the others take the flat data segment */
static void load_segments(void)
{
	__asm__ volatile("pushq %[code]\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %[data], %%eax\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "movl %%eax, %%ss\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%fs\n\t"
			 "movl %%eax, %%gs\n\t"
			 "lldt %%ax"
			 :
			 : [code] "i"(SEL_CODE), [data] "i"(SEL_DATA)
			 : "rax", "memory");
}

void gdt_load(struct pcpu *cpu)
{
	struct cpu_area *area = area_of(cpu);
	struct desc_ptr gdtr = {
		.limit = sizeof(area->gdt) - 1,
		.base = (u64)area->gdt,
	};

	lgdt(&gdtr);
	load_segments();
	/* LTR wants an available TSS, and a first load marked it busy */
	tss_descriptor(&area->gdt[SEL_TSS / DESC_BYTES], &area->tss);
	ltr(SEL_TSS);
}

u64 gdt_base(const struct pcpu *cpu)
{
	return (u64)area_of(cpu)->gdt;
}

u64 tss_base(const struct pcpu *cpu)
{
	return (u64)&area_of(cpu)->tss;
}
