/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A firmware whose SSDTs have wrong checksums, as some have: an EFI program
 * that runs before the loader.
 */
#include "include/hw/acpi.h"
#include "lib/string.h"
#include "tests/firmware/before.h"

static bool same(const EFI_GUID *a, const EFI_GUID *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static const struct acpi_rsdp *find_rsdp(void)
{
	static const EFI_GUID acpi20 = ACPI_20_TABLE_GUID;

	for (UINTN i = 0; i < st->NumberOfTableEntries; i++)
		if (same(&st->ConfigurationTable[i].VendorGuid, &acpi20))
			return st->ConfigurationTable[i].VendorTable;
	return NULL;
}

static u32 spoil(const struct acpi_rsdp *rsdp)
{
	const struct acpi_header *xsdt = (void *)(UINTN)rsdp->xsdt;
	const u64 *at = (const void *)(xsdt + 1);
	u32 spoiled = 0;

	for (u64 n = (xsdt->length - sizeof(*xsdt)) / sizeof(*at); n--;) {
		struct acpi_header *t;
		u64 address;

		memcpy(&address, &at[n], sizeof(address));
		t = (void *)(UINTN)address;
		if (memcmp(t->signature, "SSDT", 4))
			continue;
		t->checksum ^= 0x55;
		spoiled++;
	}
	return spoiled;
}

EFI_STATUS efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *table)
{
	EFI_HANDLE next = before_load(self, table);
	const struct acpi_rsdp *rsdp;

	if (!next)
		return EFI_NOT_FOUND;
	rsdp = find_rsdp();
	if (rsdp && spoil(rsdp))
		say("checksum: an SSDT has a wrong one\r\n");
	return bs->StartImage(next, NULL, NULL);
}
