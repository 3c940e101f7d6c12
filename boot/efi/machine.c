/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the firmware knows of the machine, see loader.h: ACPI and SMBIOS tables,
 * the framebuffer, the cores. None of it is needed to start. Called by main.c.
 * UEFI 2.10, 4.6 *EFI Configuration Table & Properties Table*, 12.9 *Graphics
 * Output Protocol*.
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

static void pixel_masks(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info,
			EFI_PIXEL_BITMASK *mask)
{
	static const EFI_PIXEL_BITMASK rgb = { 0xff, 0xff00, 0xff0000, 0 };
	static const EFI_PIXEL_BITMASK bgr = { 0xff0000, 0xff00, 0xff, 0 };

	if (info->PixelFormat == PixelBitMask)
		*mask = info->PixelInformation;
	else
		*mask = info->PixelFormat ==
					PixelRedGreenBlueReserved8BitPerColor
				? rgb
				: bgr;
}

static void framebuffer_find(struct boot_info *bi)
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = NULL;
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;
	struct boot_framebuffer *fb = &bi->fb;
	EFI_PIXEL_BITMASK mask;

	if (EFI_ERROR(efi_bs->LocateProtocol(&guid, NULL, (void **)&gop)) ||
	    !gop->Mode || !gop->Mode->Info)
		return;
	info = gop->Mode->Info;
	if (info->PixelFormat >= PixelBltOnly || !gop->Mode->FrameBufferBase)
		return;
	pixel_masks(info, &mask);
	fb->base = gop->Mode->FrameBufferBase;
	fb->size = gop->Mode->FrameBufferSize;
	fb->width = info->HorizontalResolution;
	fb->height = info->VerticalResolution;
	fb->bpp = 32;
	fb->stride_bytes = info->PixelsPerScanLine * (u32)sizeof(u32);
	facts_mask_to_field(mask.RedMask, &fb->red_shift, &fb->red_bits);
	facts_mask_to_field(mask.GreenMask, &fb->green_shift, &fb->green_bits);
	facts_mask_to_field(mask.BlueMask, &fb->blue_shift, &fb->blue_bits);
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
	framebuffer_find(bi);
	facts_add_cpu(bi, facts_own_apic_id());
	bi->cpu_source =
		cpus_from_mp_services(bi) ? BOOT_CPUS_EFI_MP : BOOT_CPUS_NONE;
	if (facts_has_madt(bi->rsdp))
		bi->cpu_source = BOOT_CPUS_MADT;
}
