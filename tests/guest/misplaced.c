/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CPU reads by itself, put where devices are. A page table there reads
 * as ones, whose reserved bits are a fault of the guest's (`walk`); the others
 * end the guest, with a reason in the log: `gdt`, `idt`, `stack`, `cr3`.
 */
#include "tests/guest/lib/guest.h"

#define DEVICE  0xfed00000ul /* the HPET */
#define ALIAS   (1ul << 39)  /* the second entry of the topmost table */
#define USUAL   7u           /* present, writable, user */
#define LEVELS  4u
#define ENTRIES 512u

#define EXC_PF  14
#define PF_RSVD 8u

extern u64 boot_pml4[];
static u64 tables[LEVELS - 1][ENTRIES] __aligned(4096);

static void touch(void *arg)
{
	(void)*(volatile u8 *)arg;
}

static void write(void *arg)
{
	*(volatile u8 *)arg = 0;
}

/* @depth tables of ours are on the way, then the device; 0: at once */
static void build(u32 depth)
{
	u64 *table = boot_pml4;
	u32 slot = ALIAS >> 39;

	for (u32 i = 0; i < depth; i++) {
		table[slot] = (u64)tables[i] | USUAL;
		table = tables[i];
		slot = 0;
	}
	table[slot] = DEVICE | USUAL;
	__asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" ::
				 : "rax", "memory");
}

static void walk(void)
{
	static void (*const accesses[])(void *) = { touch, write };
	u64 config = *(volatile u64 *)(DEVICE + 0x10);

	section("SDM 3A 4.7");
	for (u32 depth = 0; depth < LEVELS - 1; depth++) {
		build(depth);
		for (u32 i = 0; i < ARRAY_SIZE(accesses); i++) {
			u8 vector = guest_try(accesses[i], (void *)ALIAS);

			check(vector == EXC_PF && trap_error & PF_RSVD &&
				      trap_cr2 == ALIAS,
			      "misplaced.table_is_a_fault",
			      "level %u: vector %u error %llx", LEVELS - depth,
			      vector, trap_error);
		}
	}
	section("IA-PC HPET 1.0a 2.3.5");
	check(*(volatile u64 *)(DEVICE + 0x10) == config,
	      "misplaced.walk_writes_nothing", "");
}

struct table_register {
	u16 limit;
	u64 base;
} __packed;

static const struct table_register nowhere = { 0xffff, DEVICE };

static void gdt(void)
{
	__asm__ volatile("lgdt %0; mov %1, %%ds" ::"m"(nowhere), "r"(0x10));
}

static void idt(void)
{
	__asm__ volatile("lidt %0; ud2" ::"m"(nowhere));
}

static void stack(void)
{
	__asm__ volatile("mov %0, %%rsp; ud2" ::"r"(DEVICE + 0x800));
}

static void cr3(void)
{
	__asm__ volatile("mov %0, %%cr3; ud2" ::"r"(DEVICE) : "memory");
}

static const struct {
	const char *word;
	void (*fn)(void);
} ways[] = {
	{ "walk", walk },   { "gdt", gdt }, { "idt", idt },
	{ "stack", stack }, { "cr3", cr3 },
};

void guest_main(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(ways); i++)
		if (cmdline_has(ways[i].word))
			ways[i].fn();
}
