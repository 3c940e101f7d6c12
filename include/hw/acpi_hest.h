/* SPDX-License-Identifier: BSD-2-Clause */
/* Layout of the ACPI table HEST (ACPI 6.5, 18.3.2 *ACPI Error Source*), as far
 * as machine checks go. Little-endian, packed, not to be trusted. */
#ifndef HW_ACPI_HEST_H
#define HW_ACPI_HEST_H

#include "include/hw/acpi.h"

struct acpi_hest {
	struct acpi_header header;
	u32 count;
} __packed;
static_assert(sizeof(struct acpi_hest) == 40, "HEST");

enum hest_type {
	HEST_MACHINE_CHECK = 0,
	HEST_CORRECTED = 1,
	HEST_NMI = 2,
	HEST_AER_ROOT_PORT = 6,
	HEST_AER_DEVICE = 7,
	HEST_AER_BRIDGE = 8,
	HEST_GENERIC = 9,
	HEST_GENERIC_V2 = 10,
	HEST_DEFERRED = 11,
	HEST_LENGTH_TOLD, /* from this type on the header has the length */
};

/* Of types below HEST_LENGTH_TOLD the second word is an id (18.3.2.11 *Error
 * Source Structure Header (Type 12 Onward)*) */
struct hest_entry {
	u16 type, length;
} __packed;

struct hest_machine_check { /* 18.3.2.1 */
	u16 type, id, reserved;
	u8 flags, enabled;
	u32 records, sections;
	u64 global_cap, global_ctl;
	u8 banks; /* struct hest_bank behind it */
	u8 reserved1[7];
} __packed;
static_assert(sizeof(struct hest_machine_check) == 40, "HEST type 0");

struct hest_corrected { /* 18.3.2.2; 18.3.2.10 *Deferred Machine Check* */
	u16 type, id, reserved;
	u8 flags, enabled; /* the latter has no say in FIRMWARE_FIRST */
	u32 records, sections;
	u8 notification[28];
	u8 banks; /* struct hest_bank behind it */
	u8 reserved1[3];
} __packed;
static_assert(sizeof(struct hest_corrected) == 48, "HEST type 1");

struct hest_bank { /* 18.3.2.1.1 *IA-32 Architecture Machine Check Bank* */
	u8 number, keep, format, reserved;
	u32 ctl_msr;
	u64 ctl;
	u32 status_msr, addr_msr, misc_msr;
} __packed;
static_assert(sizeof(struct hest_bank) == 28, "HEST bank");

#define HEST_FIRMWARE_FIRST BIT(0)
#define HEST_GHES_ASSIST    BIT(2)

/* The other types (18.3.2.3 to 18.3.2.8) */
#define HEST_NMI_BYTES        20
#define HEST_ROOT_PORT_BYTES  48
#define HEST_DEVICE_BYTES     44
#define HEST_BRIDGE_BYTES     56
#define HEST_GENERIC_BYTES    64
#define HEST_GENERIC_V2_BYTES 92

#endif
