/* SPDX-License-Identifier: BSD-2-Clause */
/* Layouts of the ACPI tables SRAT and SLIT (ACPI 6.4, 5.2.16, 5.2.17), as in
 * include/hw/acpi.h */
#ifndef HW_ACPI_NUMA_H
#define HW_ACPI_NUMA_H

#include "include/hw/acpi.h"

/* System Resource Affinity Table (5.2.16) */
struct acpi_srat {
	struct acpi_header header;
	u32 one;
	u64 reserved;
} __packed;
static_assert(sizeof(struct acpi_srat) == 48, "SRAT");
#define SRAT_REVISION    3
#define SRAT_LONG_DOMAIN 2 /* revisions from here on: domains of 32 bits */

enum srat_type {
	SRAT_LAPIC = 0,
	SRAT_MEMORY = 1,
	SRAT_X2APIC = 2,
	SRAT_INITIATOR = 5,
	SRAT_TYPES,
};

struct srat_lapic { /* 5.2.16.1 */
	struct madt_entry entry;
	u8 domain_low, apic_id;
	u32 flags;
	u8 sapic_eid;
	u8 domain_high[3];
	u32 clock_domain;
} __packed;
struct srat_memory { /* 5.2.16.2 */
	struct madt_entry entry;
	u32 domain;
	u16 reserved0;
	u64 base, size;
	u32 reserved1;
	u32 flags;
	u64 reserved2;
} __packed;
struct srat_x2apic { /* 5.2.16.3 */
	struct madt_entry entry;
	u16 reserved0;
	u32 domain, apic_id, flags, clock_domain, reserved1;
} __packed;
struct srat_initiator { /* 5.2.16.6 */
	struct madt_entry entry;
	u8 reserved0, handle_type;
	u32 domain;
	u8 handle[16];
	u32 flags, reserved1;
} __packed;
static_assert(sizeof(struct srat_lapic) == 16, "5.2.16.1");
static_assert(sizeof(struct srat_memory) == 40, "5.2.16.2");
static_assert(sizeof(struct srat_x2apic) == 24, "5.2.16.3");
static_assert(sizeof(struct srat_initiator) == 32, "5.2.16.6");
#define SRAT_ENABLED BIT(0) /* of all: the entry is used */

/* System Locality Information Table (5.2.17): so many bytes squared follow */
struct acpi_slit {
	struct acpi_header header;
	u64 count;
} __packed;
static_assert(sizeof(struct acpi_slit) == 44, "SLIT");
#define SLIT_LOCAL 10u

#endif
