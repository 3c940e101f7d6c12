/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Selectors, descriptors, gates and task-state segments (SDM 3A 3.4.2 *Segment
 * Selectors*, 3.4.5 *Segment Descriptors*, 3.5 *System Descriptor Types*), for
 * the host's tables and for the emulator. A segment's attributes in a VMCS or
 * VMCB are in hv/core/backend.h.
 */
#ifndef HW_DESCRIPTOR_H
#define HW_DESCRIPTOR_H

#include "lib/types.h"

/* clang-format off */
/* Selectors */
#define SEL_RPL(sel)		((sel)&3u)
#define SEL_TI			4u	/* of the LDT */
#define SEL_INDEX(sel)		((sel)&0xfff8u)
#define SEL_ERROR(sel)		((sel)&0xfffcu)	/* as an error code */

/* Entries of GDT and LDT; a system descriptor of long mode takes two */
#define DESC_BYTES		8u
#define DESC_TYPE_BYTE		5u	/* type, S, DPL, P: */
#define DESC_ACCESSED		0x01u	/* code and data */
#define DESC_BUSY		0x02u	/* TSS */
#define DESC_S			0x10u	/* code or data */
#define DESC_TYPE		0x1fu	/* S and the type */
#define DESC_P			0x80u

/* Types of system descriptors (table 3-2) */
#define DESC_TYPE_TSS16		0x01u
#define DESC_TYPE_LDT		0x02u
#define DESC_TYPE_TSS		0x09u	/* 32-bit; 64-bit in long mode */

/* Whole ones: flat and accessed; 8.2.3 *TSS Descriptor in 64-bit mode* */
#define DESC_FLAT_CODE64	0x00af9b000000ffffull	/* P S X R A, L, G */
#define DESC_FLAT_CODE32	0x00cf9b000000ffffull	/* P S X R A, D, G */
#define DESC_FLAT_DATA		0x00cf93000000ffffull	/* P S W A, B, G */
#define DESC_TSS_AVAILABLE	0x0000890000000000ull	/* P, type 9 */
/* clang-format on */

/* The memory operand of LGDT and LIDT: limit is the size less one */
struct desc_ptr {
	u16 limit;
	u64 base;
} __packed;
static_assert(sizeof(struct desc_ptr) == 10, "LGDT operand");

/* SDM 3A 6.14.1 *64-Bit Mode IDT* */
struct idt_gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_mid;
	u32 offset_high;
	u32 reserved;
};
static_assert(sizeof(struct idt_gate) == 16, "gate layout");

#define IDT_ENTRIES    256
#define GATE_INTERRUPT 0x8e /* present, DPL 0, interrupts off */

/* Task-state segments: SDM 3A 8.6 *16-Bit Task-State Segment (TSS)* */
struct tss16 {
	u16 link;
	u16 sp0, ss0, sp1, ss1, sp2, ss2;
	u16 ip, flags;
	u16 gpr[8];
	u16 seg[4]; /* ES to DS */
	u16 ldt;
} __packed;
static_assert(offsetof(struct tss16, ip) == 0x0e, "figure 8-10");
static_assert(sizeof(struct tss16) == 44, "figure 8-10");

/* 8.2.1 *Task-State Segment (TSS)*; selectors are in the low halves */
struct tss32 {
	u32 link;
	u32 esp0, ss0, esp1, ss1, esp2, ss2;
	u32 cr3;
	u32 eip, eflags;
	u32 gpr[8];
	u32 seg[6]; /* ES to GS */
	u32 ldt;
	u16 trap;
	u16 iomap_base;
} __packed;
static_assert(offsetof(struct tss32, cr3) == 0x1c, "figure 8-2");
static_assert(sizeof(struct tss32) == 104, "figure 8-2");
#define TSS_TRAP_T 1u

/* 8.7 *Task Management in 64-bit Mode* */
struct tss64 {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap_base;
} __packed;
static_assert(sizeof(struct tss64) == 104, "TSS layout");

#endif
