/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's ACPI tables for the privileged guest. A new RSDP and XSDT name the
 * firmware's own tables where they lie, as guest-physical is host-physical. The
 * MADT is new, for the guest's vCPUs; tables about hardware that the hypervisor
 * keeps are left out. Called by load_guest() once. No locks.
 */
#include "hv/load/acpi_tables.h"
#include "hv/load/load.h"
#include "lib/string.h"

/* Tables that the guest's XSDT does not list; the FADT names DSDT and FACS */
static const char held_back[][5] = {
	"APIC", /* replaced */
	"DSDT", "FACS", "SRAT",
	"SLIT", "HMAT", /* topology of the host's cores and memory */
	"HPET",         /* the hypervisor may use its comparators */
	"DMAR", "IVRS", /* the IOMMU is the hypervisor's */
	"BGRT",         /* its picture is gone from memory and screen */
	"PPTT", "MPST",
};

static bool is_held_back(const char *signature)
{
	for (size_t i = 0; i < ARRAY_SIZE(held_back); i++)
		if (!strncmp(signature, held_back[i], 4))
			return true;
	return false;
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
	return acpi_writer_finish(&w);
}
