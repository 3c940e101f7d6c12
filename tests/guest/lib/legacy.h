/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 32-bit code for the guest tests (legacy.asm). legacy_try() leaves long mode,
 * loads legacy_gdt, legacy_idt, the control registers below and TR, calls the
 * 32-bit function, and comes back; an exception ends it, as guest_try() does.
 * Selectors: 08 flat code, 10 flat data, 18 64-bit code, the rest is free.
 */
#ifndef TESTS_GUEST_LIB_LEGACY_H
#define TESTS_GUEST_LIB_LEGACY_H

#include "tests/guest/lib/guest.h"

#define LEGACY_CODE 0x08
#define LEGACY_DATA 0x10

typedef void (*legacy_function)(void); /* 32-bit code */
u8 legacy_try(legacy_function fn);

struct legacy_trap {
	u32 vector, error, eip, cs, eflags, tr, cr2, dr6;
};
extern volatile struct legacy_trap legacy_trap;
extern u64 legacy_gdt[32], legacy_idt[256];
extern u32 legacy_cr0, legacy_cr3, legacy_cr4, legacy_tr;
extern char legacy_stubs[];

#define LEGACY_CR0 0x31u /* PE, ET, NE */

/* Type and attribute bytes of a descriptor: access in 7:0, flags in 15:12 */
static inline u64 legacy_descriptor(u64 base, u64 limit, u32 attr)
{
	return (limit & 0xffff) | (base & 0xffffff) << 16 |
	       (u64)(attr & 0xff) << 40 | (limit >> 16 & 0xf) << 48 |
	       (u64)(attr >> 12 & 0xf) << 52 | (base >> 24 & 0xff) << 56;
}

static inline u64 legacy_gate(u16 sel, u64 offset, u8 access)
{
	return (offset & 0xffff) | (u64)sel << 16 | (u64)access << 40 |
	       (offset >> 16) << 48;
}

/* Flat segments, a gate for each vector, no paging */
static inline void legacy_reset(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(legacy_gdt); i++)
		legacy_gdt[i] = 0;
	legacy_gdt[1] = 0x00cf9b000000ffff;
	legacy_gdt[2] = 0x00cf93000000ffff;
	legacy_gdt[3] = 0x00af9b000000ffff;
	for (u32 i = 0; i < ARRAY_SIZE(legacy_idt); i++)
		legacy_idt[i] = legacy_gate(LEGACY_CODE,
					    (u64)legacy_stubs + 16ul * i, 0x8e);
	legacy_cr0 = LEGACY_CR0;
	legacy_cr3 = 0;
	legacy_cr4 = 0;
	legacy_tr = 0;
}

#endif
