/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the firmware knows of the machine, see loader.h: ACPI and SMBIOS tables,
 * the cores; screen.c has the framebuffer, serial.c the UARTs. None of it is
 * needed to start. Called by main.c. UEFI 2.10, 4.6 *EFI Configuration Table &
 * Properties Table*.
 */
#include "boot/common/facts.h"
#include "boot/efi/loader.h"
#include "boot/efi/mp_services.h"
#include "lib/string.h"

static u64 config_table(EFI_GUID guid)
{
	for (UINTN i = 0; i < efi_st->NumberOfTableEntries; i++) {
		EFI_CONFIGURATION_TABLE *t = &efi_st->ConfigurationTable[i];

		if (!memcmp(&t->VendorGuid, &guid, sizeof(guid)))
			return (u64)t->VendorTable;
	}
	return 0;
}

static void tables_find(struct boot_info *bi)
{
	EFI_GUID acpi2 = ACPI_20_TABLE_GUID, acpi1 = ACPI_TABLE_GUID;
	EFI_GUID smbios3 = SMBIOS3_TABLE_GUID, smbios = SMBIOS_TABLE_GUID;

	bi->rsdp = config_table(acpi2);
	if (!bi->rsdp)
		bi->rsdp = config_table(acpi1);
	bi->smbios = config_table(smbios3);
	if (!bi->smbios)
		bi->smbios = config_table(smbios);
}

/* False: the firmware has no list. The boot core is in @bi already. */
static bool cpus_from_mp_services(struct boot_info *bi)
{
	EFI_GUID guid = MP_SERVICES_GUID;
	struct mp_services *mp = NULL;
	UINTN count = 0, enabled = 0;

	if (EFI_ERROR(efi_bs->LocateProtocol(&guid, NULL, (void **)&mp)) ||
	    EFI_ERROR(mp->get_count(mp, &count, &enabled)))
		return false;
	for (UINTN i = 0; i < count; i++) {
		struct mp_cpu_info info;

		memset(&info, 0, sizeof(info));
		if (!EFI_ERROR(mp->get_info(mp, i, &info)) &&
		    (info.status & MP_CPU_ENABLED))
			facts_add_cpu(bi, (u32)info.processor_id);
	}
	return true;
}

void machine_find(struct boot_info *bi)
{
	tables_find(bi);
	screen_find(bi);
	serial_find(bi);
	facts_add_cpu(bi, facts_own_apic_id());
	bi->cpu_source =
		cpus_from_mp_services(bi) ? BOOT_CPUS_EFI_MP : BOOT_CPUS_NONE;
	if (facts_has_madt(bi->rsdp))
		bi->cpu_source = BOOT_CPUS_MADT;
}
