/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot Specification version 0.6.96 ("multiboot") and Multiboot2
 * Specification version 2.0: headers of images, information for them. Numbers
 * of sections are those specifications' own.
 */
#ifndef HW_MULTIBOOT_H
#define HW_MULTIBOOT_H

#include "lib/types.h"

/* 0.6.96, 3.1 *OS image format* */
#define MB1_SEARCH      8192u
#define MB1_ALIGN       4u
#define MB1_MAGIC       0x1badb002u
#define MB1_BOOT_MAGIC  0x2badb002u /* EAX at the entry, 3.2 */
#define MB1_PAGE_ALIGN  BIT(0)
#define MB1_MEMORY_INFO BIT(1)
#define MB1_VIDEO_MODE  BIT(2)
#define MB1_REQUIRED    0xffffu /* bits that a loader must understand */
#define MB1_ADDRESSES   BIT(16)

struct mb1_header {
	u32 magic, flags, checksum;
	u32 header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
} __packed;
static_assert(sizeof(struct mb1_header) == 32, "multiboot header, no video");
#define MB1_HEADER_MIN 12u /* without the addresses */

/* 3.3 *Boot information format*: flags */
#define MB1_INFO_MEMORY   BIT(0)
#define MB1_INFO_CMDLINE  BIT(2)
#define MB1_INFO_MODS     BIT(3)
#define MB1_INFO_SECTIONS BIT(5)
#define MB1_INFO_MMAP     BIT(6)
#define MB1_INFO_LOADER   BIT(9)

struct mb1_info {
	u32 flags;
	u32 mem_lower, mem_upper; /* KiB */
	u32 boot_device;
	u32 cmdline;
	u32 mods_count, mods_addr;
	u32 shdr_num, shdr_size, shdr_addr, shdr_shndx;
	u32 mmap_length, mmap_addr;
	u32 drives_length, drives_addr;
	u32 config_table;
	u32 boot_loader_name;
	u32 apm_table;
	u8 vbe[16];
	u8 framebuffer[28];
} __packed;
static_assert(offsetof(struct mb1_info, boot_loader_name) == 64, "3.3");
static_assert(sizeof(struct mb1_info) == 116, "multiboot information");

struct mb1_module {
	u32 mod_start, mod_end, string, reserved;
} __packed;

struct mb1_mmap {
	u32 size; /* of what follows */
	u64 base, length;
	u32 type;
} __packed;
static_assert(sizeof(struct mb1_mmap) == 24, "memory map entry");

/* Types of both memory maps are E820's (include/hw/e820.h) up to this one;
 * others are reserved */
#define MB_MEMORY_LAST 5u

/* 2.0, 3.1 *OS image format* */
#define MB2_SEARCH     32768u
#define MB2_ALIGN      8u
#define MB2_MAGIC      0xe85250d6u
#define MB2_BOOT_MAGIC 0x36d76289u
#define MB2_ARCH_I386  0u

struct mb2_header {
	u32 magic, architecture, header_length, checksum;
} __packed;

enum mb2_header_tag {
	MB2_HEADER_END = 0,
	MB2_HEADER_REQUEST = 1,
	MB2_HEADER_ADDRESS = 2,
	MB2_HEADER_ENTRY = 3,
	MB2_HEADER_CONSOLE = 4,
	MB2_HEADER_FRAMEBUFFER = 5,
	MB2_HEADER_MODULE_ALIGN = 6,
	MB2_HEADER_EFI_BS = 7,
	MB2_HEADER_ENTRY_EFI32 = 8,
	MB2_HEADER_ENTRY_EFI64 = 9,
	MB2_HEADER_RELOCATABLE = 10,
};
#define MB2_OPTIONAL BIT(0)

struct mb2_tag {
	u16 type, flags;
	u32 size;
} __packed;

struct mb2_address {
	struct mb2_tag tag;
	u32 header_addr, load_addr, load_end_addr, bss_end_addr;
} __packed;
#define MB2_LOAD_WHOLE 0xffffffffu /* load_addr: the file from its start */

struct mb2_entry {
	struct mb2_tag tag;
	u32 entry_addr;
} __packed;

/* 3.6 *Boot information format* */
enum mb2_info_tag {
	MB2_INFO_END = 0,
	MB2_INFO_CMDLINE = 1,
	MB2_INFO_LOADER = 2,
	MB2_INFO_MODULE = 3,
	MB2_INFO_MEMORY = 4,
	MB2_INFO_MMAP = 6,
	MB2_INFO_FRAMEBUFFER = 8,
	MB2_INFO_SECTIONS = 9,
	MB2_INFO_EFI64 = 12,
	MB2_INFO_SMBIOS = 13,
	MB2_INFO_ACPI_OLD = 14,
	MB2_INFO_ACPI_NEW = 15,
	MB2_INFO_EFI_MMAP = 17,
	MB2_INFO_LOAD_BASE = 21,
};
#define MB2_INFO_LAST 21u /* the last one of version 2.0 */

struct mb2_info {
	u32 total_size, reserved;
} __packed;

struct mb2_info_head {
	u32 type, size;
} __packed;

struct mb2_info_string { /* command line, loader's name */
	struct mb2_info_head head;
	char string[];
} __packed;

struct mb2_info_memory {
	struct mb2_info_head head;
	u32 lower, upper; /* KiB */
} __packed;

struct mb2_info_module {
	struct mb2_info_head head;
	u32 mod_start, mod_end;
	char string[];
} __packed;

struct mb2_info_mmap {
	struct mb2_info_head head;
	u32 entry_size, entry_version;
	u8 entries[]; /* struct mb2_mmap, and what a later version adds */
} __packed;

struct mb2_mmap {
	u64 base, length;
	u32 type, reserved;
} __packed;

struct mb2_info_sections {
	struct mb2_info_head head;
	u32 num, entsize, shndx; /* section headers follow */
} __packed;

struct mb2_info_base {
	struct mb2_info_head head;
	u32 load_base_addr;
} __packed;

#define MB2_FRAMEBUFFER_RGB 1
struct mb2_info_framebuffer {
	struct mb2_info_head head;
	u64 address;
	u32 pitch, width, height;
	u8 bpp, type;
	u16 reserved;
	u8 red_position, red_size;
	u8 green_position, green_size;
	u8 blue_position, blue_size;
} __packed;
static_assert(sizeof(struct mb2_info_framebuffer) == 38, "2.0, 3.6.12");

struct mb2_info_efi64 {
	struct mb2_info_head head;
	u64 system_table;
} __packed;

struct mb2_info_smbios {
	struct mb2_info_head head;
	u8 major, minor, reserved[6];
	u8 entry_point[];
} __packed;

struct mb2_info_acpi {
	struct mb2_info_head head;
	u8 rsdp[];
} __packed;

struct mb2_info_efi_mmap {
	struct mb2_info_head head;
	u32 descriptor_size, descriptor_version;
	u8 descriptors[]; /* struct efi_descriptor, include/hw/efi.h */
} __packed;

#endif
