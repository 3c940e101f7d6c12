/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map that a PC's firmware or loader tells (ACPI 6.4, 15 *System
 * Address Map Interfaces*, table 15.7); multiboot and PVH have the same types
 */
#ifndef HW_E820_H
#define HW_E820_H

#include "lib/types.h"

enum e820_type {
	E820_RAM = 1,
	E820_RESERVED = 2,
	E820_ACPI = 3,
	E820_NVS = 4,
	E820_UNUSABLE = 5,
	E820_PERSISTENT = 7,
	/* Linux's own, from whoever starts it: for drivers and on request */
	E820_SOFT_RESERVED = 0xefffffff,
};

struct e820_entry {
	u64 base, size;
	u32 type; /* enum e820_type */
} __packed;
static_assert(sizeof(struct e820_entry) == 20, "E820 entry");

#endif
