/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiboot2 Specification 2.0, 3.6 *Boot information format*; the types of its
 * memory map are those of include/hw/e820.h */
#ifndef BOOT_MULTIBOOT2_MB2_REGS_H
#define BOOT_MULTIBOOT2_MB2_REGS_H

#include "lib/types.h"

enum mb2_tag_type {
	MB2_TAG_END = 0,
	MB2_TAG_LOADER_NAME = 2,
	MB2_TAG_MODULE = 3,
	MB2_TAG_MMAP = 6,
	MB2_TAG_FRAMEBUFFER = 8,
	MB2_TAG_EFI64 = 12,
	MB2_TAG_SMBIOS = 13,
	MB2_TAG_ACPI_OLD = 14,
	MB2_TAG_ACPI_NEW = 15,
	MB2_TAG_EFI_MMAP = 17,
};
#define MB2_TAG_ALIGN       8
#define MB2_FRAMEBUFFER_RGB 1

struct mb2_info {
	u32 total_size, reserved;
};

struct mb2_tag {
	u32 type, size;
};

struct mb2_string {
	struct mb2_tag tag;
	char string[];
};

struct mb2_module {
	struct mb2_tag tag;
	u32 start, end;
	char string[];
};

struct mb2_mmap_entry {
	u64 base, length;
	u32 type, reserved;
};
struct mb2_mmap {
	struct mb2_tag tag;
	u32 entry_size, entry_version;
	u8 entries[];
};

struct mb2_framebuffer {
	struct mb2_tag tag;
	u64 address;
	u32 pitch, width, height;
	u8 bpp, type;
	u16 reserved;
	u8 red_position, red_size;
	u8 green_position, green_size;
	u8 blue_position, blue_size;
} __packed;
static_assert(sizeof(struct mb2_framebuffer) == 38, "3.6.12");

struct mb2_efi64 {
	struct mb2_tag tag;
	u64 system_table;
};

struct mb2_smbios {
	struct mb2_tag tag;
	u8 major, minor, reserved[6];
	u8 entry_point[];
};

struct mb2_acpi {
	struct mb2_tag tag;
	u8 rsdp[];
};

struct mb2_efi_mmap {
	struct mb2_tag tag;
	u32 descriptor_size, descriptor_version;
	u8 descriptors[];
};

/* UEFI 2.10, 7.2.3 *EFI_BOOT_SERVICES.GetMemoryMap()* */
struct mb2_efi_descriptor {
	u32 type, reserved;
	u64 base, virtual_base, pages, attributes;
};
static_assert(sizeof(struct mb2_efi_descriptor) == 40, "UEFI 2.10 7.2.3");

#endif
