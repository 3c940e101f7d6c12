/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's image as the loaders see it. The ELF file's entry point is
 * the 32-bit one for GRUB. The 64-bit one, hv_start, is in the header below,
 * the first bytes of the image (boot/multiboot2/header.asm), so that a stripped
 * file is enough. The UEFI loader reads the file; GRUB's loader needs
 * only the link address. No state, no locks.
 */
#ifndef BOOT_COMMON_IMAGE_H
#define BOOT_COMMON_IMAGE_H

#include "lib/types.h"

#define IMAGE_MAGIC          0x444145484b4c5542ull /* "BULKHEAD" */
#define IMAGE_HEADER_VERSION 4 /* rises with BOOT_INFO_VERSION */
#define IMAGE_LINK_BASE      0xffffffff80000000ull /* linker.ld */
#define IMAGE_MAX_BYTES      MIB(64)
#define IMAGE_ALIGN          PAGE_2M

struct image_header {
	u64 magic;
	u32 version;
	u32 size;
	u64 entry; /* link address of hv_start */
};
static_assert(sizeof(struct image_header) == 24, "header.asm lays it out");

struct hv_image {
	u64 bytes; /* from IMAGE_LINK_BASE to the end of .bss, whole pages */
	u64 entry; /* link address of hv_start */
};

/*
 * Checks a whole ELF file of @size bytes at @file, 8-byte aligned, before any
 * of it is used. Class and machine must be right. The segments must lie inside
 * the file, ascending and in one piece from IMAGE_LINK_BASE on. The header
 * above must be there, and its entry in an executable segment. NULL: it is
 * good, and @img is filled. Else the end of a sentence "bulkhead.elf ...".
 */
const char *image_check(const void *file, u64 size,
			struct hv_image *img) __must_check;
/* Places the segments of a file that image_check() found good at @dst, which
 * has @bytes (hv_image.bytes), and zeroes the rest */
void image_place(const void *file, void *dst, u64 bytes);

#endif
