/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A firmware with faults that "Check this machine" is to find, as an EFI
 * program that runs before the loader: a table that does not add up, and a VT-d
 * unit that remaps interrupts.
 */
#include "include/hw/acpi.h"
#include "include/hw/vtd.h"
#include "lib/string.h"
#include "tests/firmware/before.h"

#define BELOW_4G     0xffffffffull
#define SPINS        1000000u
#define VTD_GCMD     0x18
#define VTD_IRTA     0xb8
#define GCMD_IRE     BIT(25)
#define GCMD_SIRTP   BIT(24) /* take VTD_IRTA */
#define GSTS_IRTPS   BIT(24)
#define IRTA_256     7u /* entries of 16 bytes: a page */
#define BROKEN_TABLE "WAET"

static u64 config_table(void)
{
	EFI_GUID guid = ACPI_20_TABLE_GUID;

	for (UINTN i = 0; i < st->NumberOfTableEntries; i++)
		if (!memcmp(&st->ConfigurationTable[i].VendorGuid, &guid,
			    sizeof(guid)))
			return (u64)st->ConfigurationTable[i].VendorTable;
	return 0;
}

static struct acpi_header *table_find(const char *signature)
{
	const struct acpi_rsdp *rsdp = (const void *)config_table();
	const struct acpi_header *root;

	if (!rsdp)
		return NULL;
	root = (const void *)rsdp->xsdt;
	for (u32 at = sizeof(*root); at < root->length; at += sizeof(u64)) {
		u64 hpa;

		memcpy(&hpa, (const u8 *)root + at, sizeof(hpa));
		if (!memcmp((const void *)hpa, signature, 4))
			return (void *)hpa;
	}
	return NULL;
}

static void break_sum(void)
{
	struct acpi_header *t = table_find(BROKEN_TABLE);

	if (!t)
		return;
	t->checksum++;
	say("faults: " BROKEN_TABLE " does not add up\r\n");
}

static bool wait_for(const volatile u8 *regs, u64 bit)
{
	for (u32 i = 0; i < SPINS; i++)
		if (*(const volatile u32 *)(regs + VTD_GSTS) & bit)
			return true;
	return false;
}

/* No device of the firmware's interrupts: its drivers poll */
static void remap_interrupts(void)
{
	const struct acpi_header *dmar = table_find("DMAR");
	EFI_PHYSICAL_ADDRESS table = BELOW_4G;
	struct dmar_drhd unit;
	volatile u8 *regs;

	if (!dmar || dmar->length < DMAR_ENTRIES_OFFSET + sizeof(unit) ||
	    EFI_ERROR(bs->AllocatePages(AllocateMaxAddress,
					EfiReservedMemoryType, 1, &table)))
		return;
	memset((void *)table, 0, PAGE_SIZE);
	memcpy(&unit, (const u8 *)dmar + DMAR_ENTRIES_OFFSET, sizeof(unit));
	regs = (volatile u8 *)unit.base;
	*(volatile u64 *)(regs + VTD_IRTA) = table | IRTA_256;
	*(volatile u32 *)(regs + VTD_GCMD) = (u32)GCMD_SIRTP;
	if (!wait_for(regs, GSTS_IRTPS))
		return;
	*(volatile u32 *)(regs + VTD_GCMD) = (u32)GCMD_IRE;
	if (wait_for(regs, VTD_G_IRE))
		say("faults: interrupts are remapped\r\n");
}

EFI_STATUS efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *table)
{
	EFI_HANDLE image = before_load(self, table);

	if (!image)
		return EFI_LOAD_ERROR;
	break_sum();
	remap_interrupts();
	return bs->StartImage(image, NULL, NULL);
}
