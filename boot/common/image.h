/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's image as the loaders see it. The ELF file's entry point is
 * the one for GRUB (32-bit); the 64-bit one, hv_start, is named by this header,
 * the first bytes of the image (boot/multiboot2/header.asm), so that a stripped
 * file is enough. Called by both loaders; no state, no locks.
 */
#ifndef BOOT_COMMON_IMAGE_H
#define BOOT_COMMON_IMAGE_H

#include "lib/types.h"

#define IMAGE_MAGIC          0x444145484b4c5542ull /* "BULKHEAD" */
#define IMAGE_HEADER_VERSION 1
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
 * Check a whole ELF file before any of it is used: class, machine, program
 * headers inside the file, ascending and in one piece from IMAGE_LINK_BASE,
 * the header above, and its entry in an executable segment. NULL when good,
 * else the end of a sentence "bulkhead.elf ...".
 */
const char *image_check(const void *file, u64 size,
			struct hv_image *img) __must_check;
/* Place a checked file's segments at @dst (img.bytes long), the rest zero */
void image_place(const void *file, void *dst, u64 bytes);

#endif
