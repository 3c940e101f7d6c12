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
#define MB_INFO_BYTES  KIB(32) /* more, for a map that is long */

/* An image with the address fields (or tag): [offset, offset + bytes) of the
 * file goes to gpa, with zeros behind it up to memory bytes */
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
	u8 *info; /* info_bytes of the pool, what will be at info_gpa */
	u32 info_bytes, used;
};

/* The address fields of either header */
struct mb_addresses {
	u32 header_addr, load_addr, load_end_addr, bss_end_addr;
};
/* What a file with a header is to its loader: it must say itself where it lies
 * (@flat) or be an ELF that is whole. Pure. */
enum image_fit multiboot_fit(const struct image *kernel, bool flat);
/* Take the image as flat; @header: where the header is in the file. -ENOEXEC
 * after a sentence: the fields contradict each other or the file. */
int __must_check multiboot_flat(struct mb *b, u64 header,
				const struct mb_addresses *a);
/* Give kernel, modules and information their places; b->info is allocated and
 * zero. -ENOEXEC, -ENOENT (a module), -ENOMEM, after one sentence; nothing is
 * left to free then. */
int __must_check multiboot_place(struct mb *b);
/* Take @bytes zeroed bytes of the information; *@at is their offset. -ENOSPC:
 * info_bytes are used up. */
int __must_check multiboot_room(struct mb *b, u32 bytes, u32 align, u32 *at);
/* Put "FILE ARGUMENTS" there; *@at is its offset, *@bytes its length with the
 * zero. -ENOSPC. */
int __must_check multiboot_string(struct mb *b, const char *file,
				  const char *args, u32 *at, u32 *bytes);
/* e820_make(), with the types of multiboot */
int __must_check multiboot_mmap(struct mb *b, struct e820_map *map);
/* KiB of RAM from 0 and from 1 MiB up to the first hole */
void multiboot_memory(const struct e820_map *map, u32 *lower_kib,
		      u32 *upper_kib);
/* True if the image has section headers that it can be told */
bool multiboot_has_sections(const struct mb *b);
/* Copy the section headers to b->info + @at. A section in no segment is loaded
 * where there is room, and its header gets the address. -EFAULT: not RAM. */
int __must_check multiboot_sections(struct mb *b, u32 at);
/* Copy all and set the registers, EAX to @magic (0.6.96 3.2, 2.0 3.3). @filled
 * is what filling b->info returned. Frees b->info in every case. After a
 * sentence, -ENOSPC: @filled was an error; -ENOMEM: the image is not in RAM. */
int __must_check multiboot_start(struct mb *b, int filled, u32 magic);

#endif
