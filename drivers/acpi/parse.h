/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsers of single ACPI tables, for acpi.c. Each gets a whole table in memory,
 * whose length field is right; nothing else of it is trusted.
 * Each adds what it finds to @f and reads nothing beyond the table. What makes
 * no sense is logged and passed over. Boot CPU; no lock.
 */
#ifndef DRIVERS_ACPI_PARSE_H
#define DRIVERS_ACPI_PARSE_H

#include "drivers/acpi/acpi.h"
#include "include/hw/acpi.h"

/* The lists of struct acpi_facts */
enum acpi_list {
	LIST_TABLES,
	LIST_CPUS,
	LIST_IOAPICS,
	LIST_OVERRIDES,
	LIST_ECAM,
	LIST_HPETS,
	LIST_IOMMUS,
	LIST_SERIALS,
	LIST_NODES,
	LIST_NODE_CPUS,
	LIST_NODE_RANGES,
	LIST_INITIATORS,
	LIST_IDLE_PORTS,
};

/* Has @list, of @count entries, no room? Then that is logged, once a list. */
bool acpi_list_full(struct acpi_facts *f, enum acpi_list list, u32 count);
/* Cores, IOAPICs, overrides (ACPI 6.4, 5.2.12 *Multiple APIC Description Table
 * (MADT)*) */
void acpi_parse_madt(struct acpi_facts *f, const struct acpi_header *t);
/* PM ports, SCI and reset register, and to *@dsdt and *@facs where these tables
 * are; 0: none (ACPI 6.4, 5.2.9 *Fixed ACPI Description Table (FADT)*) */
void acpi_parse_fadt(struct acpi_facts *f, const struct acpi_header *t,
		     u64 *dsdt, u64 *facs);
/* ECAM ranges of the MCFG table (parse_mcfg.c). Those that say the same are one
 * range; one that contradicts an earlier one is logged and not used. */
void acpi_parse_mcfg(struct acpi_facts *f, const struct acpi_header *t);
/* The address in an HPET table */
void acpi_parse_hpet(struct acpi_facts *f, const struct acpi_header *t);
/* The IOMMUs of Intel's DMAR table or AMD's IVRS; of another table there are
 * none (parse_iommu.c) */
void acpi_parse_iommus(struct acpi_facts *f, const struct acpi_header *t);
/* The UARTs of SPCR, the firmware's console, and of DBG2, its debug ports; what
 * is no 16550 is passed over (parse_serial.c) */
void acpi_parse_spcr(struct acpi_facts *f, const struct acpi_header *t);
void acpi_parse_dbg2(struct acpi_facts *f, const struct acpi_header *t);
/* Which node cores and memory are in, by the SRAT, and whether the SLIT is one
 * (parse_numa.c). An SRAT that contradicts itself is logged and not used. */
void acpi_parse_srat(struct acpi_facts *f, const struct acpi_header *t);
void acpi_parse_slit(struct acpi_facts *f, const struct acpi_header *t);
/* Banks of the HEST (parse_hest.c). One that is cut is logged, and used as far
 * as it goes. */
void acpi_parse_hest(struct acpi_facts *f, const struct acpi_header *t);
/* \_S5_ in a DSDT or SSDT, unless an earlier table had it (ACPI 6.4, 7.4.2
 * *\_Sx states*) */
void acpi_parse_s5(struct acpi_facts *f, const struct acpi_header *t);
/* Ports of _CST and of processors in a DSDT or SSDT (parse_idle.c) */
void acpi_parse_idle(struct acpi_facts *f, const struct acpi_header *t);
/* Moves the core with @apic_id to the front of the list, if it is there */
void acpi_boot_cpu_first(struct acpi_facts *f, u32 apic_id);

#endif
