/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What both multiboot loaders share: an image that is an ELF or says itself
 * where it lies, its modules, and the information that is written for it. A
 * loader reads the header, then calls multiboot_place(), fills the information
 * with the functions below, and ends with multiboot_start().
 */
#ifndef HV_LOAD_MULTIBOOT_H
#define HV_LOAD_MULTIBOOT_H

#include "hv/load/elf.h"
#include "include/hw/multiboot.h"

#define MB_LOADER_NAME "Bulkhead"
#define MB_MODULES_MAX (MANIFEST_MAX_FILES + 1) /* and the initrd */
#define MB_INFO_BYTES  KIB(32)
#define MB_MMAP_MAX    64u

/* An image with the address fields (or tag): [offset, offset + bytes) of the
 * file goes to gpa, zeros up to memory */
struct mb_flat {
	u64 offset, bytes, gpa, memory;
};

struct mb_module {
	struct image file;
	const char *args;
	u64 gpa;
};

struct mb {
	struct vm *vm;
	const struct image *kernel, *initrd;
	bool is_flat, has_entry;
	struct elf elf;
	struct mb_flat flat;
	u32 entry;
	u32 module_count;
	struct mb_module modules[MB_MODULES_MAX];
	struct place place;
	u64 info_gpa;
	u8 *info; /* MB_INFO_BYTES of the pool, what will be at info_gpa */
	u32 used;
};

/* The address fields of either header: @header: where it is in the file.
 * -ENOEXEC after a sentence */
struct mb_addresses {
	u32 header_addr, load_addr, load_end_addr, bss_end_addr;
};
int __must_check multiboot_flat(struct mb *b, u64 header,
				const struct mb_addresses *a);
/* Kernel, modules and information get their places; b->info is there, zero.
 * One sentence on failure, and nothing is left to free */
int __must_check multiboot_place(struct mb *b);
/* Room in the information, zero: its offset is in *@at. -ENOSPC */
int __must_check multiboot_room(struct mb *b, u32 bytes, u32 align, u32 *at);
/* "FILE ARGUMENTS" there; *@at: its offset, *@bytes: with the zero */
int __must_check multiboot_string(struct mb *b, const char *file,
				  const char *args, u32 *at, u32 *bytes);
/* The memory map, with the types of multiboot; returns the count */
u32 multiboot_mmap(struct mb *b, struct e820_entry map[MB_MMAP_MAX]);
/* KiB of RAM from 0 and from 1 MiB up to the first hole */
void multiboot_memory(const struct e820_entry *map, u32 count, u32 *lower_kib,
		      u32 *upper_kib);
/* The image has section headers that it can be told */
bool multiboot_has_sections(const struct mb *b);
/* Copy the section headers to b->info + @at; what no segment has loaded gets a
 * place, and its header the address */
int __must_check multiboot_sections(struct mb *b, u32 at);
/* Copy all, set the registers: EAX, EBX (0.6.96 3.2, 2.0 3.3). @filled is what
 * filling b->info came to. Frees b->info in every case. -ENOSPC (@filled) or
 * -EFAULT, after a sentence */
int __must_check multiboot_start(struct mb *b, int filled, u32 magic);

#endif
