/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's ACPI tables for the privileged guest. A new RSDP and XSDT name the
 * firmware's own tables where they lie, as guest-physical is host-physical. The
 * MADT and the SRAT are new, for the guest's vCPUs and memory; tables about
 * hardware that the hypervisor keeps are left out. Called by load_guest() once.
 * No locks.
 */
#include "hv/console/console.h"
#include "hv/load/acpi_tables.h"
#include "hv/load/load.h"
#include "lib/string.h"

/* Tables that the guest's XSDT does not list; the FADT names DSDT and FACS */
static const char held_back[][5] = {
	"APIC",                 /* replaced */
	"DSDT", "FACS", "SRAT", /* replaced */
	"SLIT",                 /* only with an SRAT, and if it makes sense */
	"HMAT", "MSCT",         /* they count what the guest does not have */
	"HPET",                 /* the hypervisor may use its comparators */
	"DMAR", "IVRS",         /* the IOMMU is the hypervisor's */
	"BGRT",                 /* its picture is gone from memory and screen */
	"PPTT", "MPST",
};

/* Tables that name UARTs: where the hypervisor's is not at COM1, where the
 * guest has one of its own, they would lead to it */
static const char of_serial[][5] = { "SPCR", "DBG2" };

static bool is_of_kept_serial(const char *signature)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_serial); i++)
		if (!strncmp(signature, of_serial[i], 4))
			return console_serial_is_kept();
	return false;
}

static bool is_held_back(const char *signature)
{
	for (size_t i = 0; i < ARRAY_SIZE(held_back); i++)
		if (!strncmp(signature, held_back[i], 4))
			return true;
	return is_of_kept_serial(signature);
}

/* The distances are between proximity domains, which stay the same */
static void list_slit(struct acpi_writer *w)
{
	for (u32 i = 0; i < acpi.table_count; i++)
		if (!strncmp(acpi.tables[i].signature, "SLIT", 4)) {
			acpi_writer_list(w, acpi.tables[i].hpa);
			return;
		}
}

int acpi_rewrite(struct vm *vm)
{
	struct acpi_writer w;
	int err = acpi_writer_init(&w, vm, ACPI_IN_MEMORY);

	if (err)
		return err;
	for (u32 i = 0; i < acpi.table_count; i++)
		if (!is_held_back(acpi.tables[i].signature))
			acpi_writer_list(&w, acpi.tables[i].hpa);
	acpi_write_madt(&w);
	if (acpi_write_srat(&w) && acpi.numa.has_distances)
		list_slit(&w);
	acpi_write_dmar(&w);
	acpi_write_log(&w);
	return acpi_writer_finish(&w);
}
