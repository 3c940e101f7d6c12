/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Linux/x86 boot protocol: setup header and zero page (Linux
 * Documentation/x86/boot.rst *The Real-Mode Kernel Header* and *64-bit Boot
 * Protocol*; zero-page.rst). Offsets are checked below.
 */
#ifndef HW_BZIMAGE_H
#define HW_BZIMAGE_H

#include "include/hw/e820.h"
#include "lib/types.h"

#define BZ_BOOT_FLAG           0xaa55
#define BZ_MAGIC               0x53726448u /* "HdrS" */
#define BZ_VERSION_CMDLINE     0x0202      /* first with cmd_line_ptr */
#define BZ_VERSION_INITRD_MAX  0x0203      /* first with initrd_addr_max */
#define BZ_VERSION_64          0x020c /* first with xloadflags and a 64-bit entry */
#define BZ_VERSION_MIN         0x020a /* first with pref_address and init_size */
#define BZ_SECTOR              512u
#define BZ_SETUP_SECTS_DEFAULT 4
#define BZ_PARAGRAPH           16u /* unit of syssize */
#define BZ_HEADER_OFFSET       0x1f1u
#define BZ_HEADER_BASE         0x202u /* header length counts from here */
#define BZ_ENTRY64_OFFSET      0x200u
#define BZ_BOOT_CS             0x10 /* __BOOT_CS, __BOOT_DS: flat */
#define BZ_BOOT_DS             0x18

/* loadflags */
#define BZ_LOADED_HIGH  BIT(0)
#define BZ_CAN_USE_HEAP BIT(7)
/* xloadflags */
#define BZ_XLF_KERNEL_64 BIT(0)

#define BZ_LOADER_QEMU      0xb0
#define BZ_LOADER_UNDEFINED 0xff
#define BZ_SENTINEL         0

struct setup_header {
	u8 setup_sects;
	u16 root_flags;
	u32 syssize;
	u16 ram_size;
	u16 vid_mode;
	u16 root_dev;
	u16 boot_flag;
	u8 jump;
	u8 header_length;
	u32 header;
	u16 version;
	u32 realmode_swtch;
	u16 start_sys_seg;
	u16 kernel_version;
	u8 type_of_loader;
	u8 loadflags;
	u16 setup_move_size;
	u32 code32_start;
	u32 ramdisk_image;
	u32 ramdisk_size;
	u32 bootsect_kludge;
	u16 heap_end_ptr;
	u8 ext_loader_ver;
	u8 ext_loader_type;
	u32 cmd_line_ptr;
	u32 initrd_addr_max;
	u32 kernel_alignment;
	u8 relocatable_kernel;
	u8 min_alignment;
	u16 xloadflags;
	u32 cmdline_size;
	u32 hardware_subarch;
	u64 hardware_subarch_data;
	u32 payload_offset;
	u32 payload_length;
	u64 setup_data;
	u64 pref_address;
	u32 init_size;
	u32 handover_offset;
	u32 kernel_info_offset;
} __packed;

struct screen_info {
	u8 orig_x, orig_y;
	u16 ext_mem_k, orig_video_page;
	u8 orig_video_mode, orig_video_cols, flags, unused2;
	u16 orig_video_ega_bx, unused3;
	u8 orig_video_lines, orig_video_isVGA;
	u16 orig_video_points;
	u16 lfb_width, lfb_height, lfb_depth;
	u32 lfb_base, lfb_size;
	u16 cl_magic, cl_offset, lfb_linelength;
	u8 red_size, red_pos, green_size, green_pos, blue_size, blue_pos;
	u8 rsvd_size, rsvd_pos;
	u16 vesapm_seg, vesapm_off, pages, vesa_attributes;
	u32 capabilities, ext_lfb_base;
	u8 reserved[2];
} __packed;

#define VIDEO_TYPE_EFI              0x70
#define VIDEO_CAPABILITY_64BIT_BASE BIT(1)

struct efi_info {
	u32 loader_signature;
	u32 systab;
	u32 memdesc_size;
	u32 memdesc_version;
	u32 memmap;
	u32 memmap_size;
	u32 systab_hi;
	u32 memmap_hi;
} __packed;

#define EFI64_LOADER_SIGNATURE 0x34364c45u /* "EL64" */

#define ZERO_PAGE_E820_MAX 128

/* Of the list at setup_header.setup_data; the data follow */
struct setup_data {
	u64 next;
	u32 type, len;
} __packed;
#define SETUP_E820_EXT 1 /* entries behind those of the zero page */

struct boot_params {
	struct screen_info screen_info; /* 0x000 */
	u8 apm_to_tboot[0x30];
	u64 acpi_rsdp_addr; /* 0x070 */
	u8 unused1[0x48];
	u32 ext_ramdisk_image; /* 0x0c0 */
	u32 ext_ramdisk_size;
	u32 ext_cmd_line_ptr;
	u8 unused2[0x140 - 0xcc];
	u8 edid_info[0x80];       /* 0x140 */
	struct efi_info efi_info; /* 0x1c0 */
	u32 alt_mem_k;            /* 0x1e0 */
	u32 scratch;
	u8 e820_entries; /* 0x1e8 */
	u8 eddbuf_entries;
	u8 edd_mbr_sig_entries;
	u8 kbd_status;
	u8 secure_boot;
	u8 unused3[2];
	u8 sentinel; /* 0x1ef */
	u8 unused4;
	struct setup_header hdr; /* 0x1f1 */
	u8 unused5[0x2d0 - BZ_HEADER_OFFSET - sizeof(struct setup_header)];
	struct e820_entry e820_table[ZERO_PAGE_E820_MAX]; /* 0x2d0 */
	u8 unused6[0x1000 - 0x2d0 - ZERO_PAGE_E820_MAX * 20];
} __packed;

static_assert(sizeof(struct screen_info) == 0x40, "screen_info");
static_assert(sizeof(struct boot_params) == 0x1000, "the zero page is a page");
static_assert(offsetof(struct boot_params, acpi_rsdp_addr) == 0x70, "rsdp");
static_assert(offsetof(struct boot_params, ext_ramdisk_image) == 0xc0, "ext");
static_assert(offsetof(struct boot_params, efi_info) == 0x1c0, "efi_info");
static_assert(offsetof(struct boot_params, e820_entries) == 0x1e8, "e820");
static_assert(offsetof(struct boot_params, sentinel) == 0x1ef, "sentinel");
static_assert(offsetof(struct boot_params, hdr) == BZ_HEADER_OFFSET, "hdr");
static_assert(offsetof(struct boot_params, e820_table) == 0x2d0, "e820 table");
static_assert(offsetof(struct setup_header, header_length) + BZ_HEADER_OFFSET ==
		      0x201,
	      "length");
static_assert(offsetof(struct setup_header, header) + BZ_HEADER_OFFSET == 0x202,
	      "HdrS");
static_assert(offsetof(struct setup_header, init_size) + BZ_HEADER_OFFSET ==
		      0x260,
	      "init_size");

#endif
