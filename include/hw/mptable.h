/* SPDX-License-Identifier: BSD-2-Clause */
/* The MP configuration table of machines without ACPI (MP, 4 *MP Configuration
 * Table*) */
#ifndef HW_MPTABLE_H
#define HW_MPTABLE_H

#include "lib/types.h"

/* Types of entries, 4.3: buses, interrupt assignments and the rest follow */
#define MP_ENTRY_CPU    0
#define MP_ENTRY_IOAPIC 2
#define MP_ENTRY_LAST   4

#define MP_CPU_ENABLED    0x01
#define MP_IOAPIC_ENABLED 0x01

struct mp_floating {
	char signature[4]; /* "_MP_" */
	u32 table;
	u8 length; /* in 16 bytes */
	u8 revision, checksum, features[5];
};
static_assert(sizeof(struct mp_floating) == 16, "MP 1.4 4.1");

struct mp_header {
	char signature[4]; /* "PCMP" */
	u16 length;
	u8 revision, checksum;
	char oem_id[8], product_id[12];
	u32 oem_table;
	u16 oem_size, entry_count;
	u32 lapic;
	u16 extended_length;
	u8 extended_checksum, reserved;
};
static_assert(sizeof(struct mp_header) == 44, "MP 1.4 4.2");

struct mp_cpu {
	u8 type, apic_id, apic_version, flags;
	u32 signature, features, reserved[2];
};
static_assert(sizeof(struct mp_cpu) == 20, "MP 1.4 4.3.1");

struct mp_ioapic {
	u8 type, id, version, flags;
	u32 address;
};
static_assert(sizeof(struct mp_ioapic) == 8, "MP 1.4 4.3.3");

#endif
