/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware's ACPI tables (ACPI 6.4, 5.2), read with early_map() and copied:
 * each table's checksum is verified; a broken one is logged by name and left
 * out. The MADT and FADT facts everyone needs are in struct acpi_facts.
 */
#ifndef DRIVERS_ACPI_ACPI_H
#define DRIVERS_ACPI_ACPI_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

#define ACPI_MAX_IOAPICS   8
#define ACPI_MAX_OVERRIDES 16
#define ACPI_MAX_TABLES    32
#define ACPI_MAX_ECAM      8

struct acpi_ioapic {
	u32 id;
	u64 base;
	u32 gsi_base;
};
struct acpi_override { /* MADT type 2 */
	u8 isa_irq;
	u32 gsi;
	u16 flags;
};
struct acpi_ecam { /* MCFG */
	u64 base;
	u16 segment;
	u8 bus_first, bus_last;
};
struct acpi_table {
	char signature[5];
	u64 hpa;
	u32 length;
};
struct acpi_gas {
	u8 space, bits, offset, access;
	u64 address;
};

struct acpi_facts {
	bool present;
	u32 table_count;
	struct acpi_table
		tables[ACPI_MAX_TABLES]; /* XSDT/RSDT entries + DSDT + FACS */
	u32 cpu_count;
	u32 cpu_apic_ids[BOOT_MAX_CPUS]; /* enabled ones, boot CPU first */
	u32 cpu_acpi_uids[BOOT_MAX_CPUS];
	u64 lapic_base;
	u32 ioapic_count;
	struct acpi_ioapic ioapics[ACPI_MAX_IOAPICS];
	u32 override_count;
	struct acpi_override overrides[ACPI_MAX_OVERRIDES];
	u32 ecam_count;
	struct acpi_ecam ecam[ACPI_MAX_ECAM];
	u16 pm1a_evt, pm1a_cnt, pm1b_cnt; /* ports; 0: none */
	u16 pm_timer;                     /* port; 0: none */
	bool has_s5;
	u8 s5_typ_a, s5_typ_b; /* from \_S5_ in the DSDT or an SSDT */
	bool has_reset;
	struct acpi_gas reset;
	u8 reset_value;
	u16 smi_cmd;
	u8 acpi_enable; /* to smi_cmd: ACPI mode on; 0: always on */
	u16 sci_gsi;
	/* 0: none. Read by the trap that will keep its messages from guests */
	u64 hpet_base;
};

extern struct acpi_facts acpi;
/* The GSI of an ISA interrupt (ACPI 5.2.12.5 *Interrupt Source Override*);
 * without an override its number */
u32 acpi_isa_gsi(u8 isa_irq);
/* From boot_info.rsdp; 0 also when there are no tables (acpi.present false) */
int __must_check acpi_init(const struct boot_info *bi);
#endif
