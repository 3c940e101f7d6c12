/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsers of single ACPI tables, for acpi.c. Each gets a whole table in memory,
 * whose length field is right and whose checksum holds, but nothing else; each
 * adds what it finds to @f and reads nothing beyond the table. */
#ifndef DRIVERS_ACPI_PARSE_H
#define DRIVERS_ACPI_PARSE_H

#include "drivers/acpi/acpi.h"
#include "include/hw/acpi.h"

/* Sum of the bytes is 0 */
bool acpi_checksum_ok(const void *p, u32 length);
void acpi_parse_madt(struct acpi_facts *f, const struct acpi_header *t);
/* Also tells where DSDT and FACS are; 0: none */
void acpi_parse_fadt(struct acpi_facts *f, const struct acpi_header *t,
		     u64 *dsdt, u64 *facs);
void acpi_parse_mcfg(struct acpi_facts *f, const struct acpi_header *t);
void acpi_parse_hpet(struct acpi_facts *f, const struct acpi_header *t);
/* \_S5_ in a DSDT or SSDT; keeps what an earlier table said */
void acpi_parse_s5(struct acpi_facts *f, const struct acpi_header *t);
/* Move the core with @apic_id to the front of the list, if it is there */
void acpi_boot_cpu_first(struct acpi_facts *f, u32 apic_id);

#endif
