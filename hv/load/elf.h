/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF kernels of both classes: headers, segments, and where these go in the
 * guest's RAM. For the PVH and the multiboot loaders. The file is untrusted;
 * what elf_parse() and elf_is_cut() have passed can be read without a fault.
 */
#ifndef HV_LOAD_ELF_H
#define HV_LOAD_ELF_H

#include "hv/load/load.h"
#include "hv/load/place.h"
#include "include/hw/elf.h"

/* Kernels by these loaders are 32-bit at their entry */
#define ELF_LOAD_END GIB(4)

struct elf {
	const struct image *file;
	bool is64;
	u64 entry, phoff, shoff;
	u32 phentsize, phnum, shentsize, shnum, shstrndx;
};

/* A program header, whatever its class */
struct elf_segment {
	u32 type;
	u64 offset, vaddr, paddr, filesz, memsz;
};

/* A section header, whatever its class: what a loader needs of it */
struct elf_section {
	u32 type;
	u64 addr, offset, size;
};

bool elf_in_file(const struct image *f, u64 offset, u64 size);
/* The ELF header. False: it is no ELF for x86 */
bool elf_parse(struct elf *e, const struct image *file);
/* A part that the headers speak of lies beyond the file's end */
bool elf_is_cut(const struct elf *e);
/* @i < phnum */
struct elf_segment elf_segment(const struct elf *e, u32 i);
/* The section headers are in the file, and of the size that the class has */
bool elf_has_sections(const struct elf *e);
/* @i < shnum; elf_has_sections() */
struct elf_section elf_section(const struct elf *e, u32 i);

/* Take the place of every PT_LOAD, all below 4 GiB; @entry must lie in one.
 * One sentence on failure: -ENOEXEC, -ENOMEM */
int __must_check elf_place(struct vm *vm, struct place *p, const struct elf *e,
			   u32 entry);
/* Copy what was placed. -EFAULT */
int __must_check elf_write(struct vm *vm, const struct elf *e);

/* The loaders' sentences. -ENOEXEC: kernel = FILE: @what. -ENOMEM: no room for
 * the @what */
int load_bad(const struct vm *vm, const struct image *kernel, const char *what);
int load_no_room(const struct vm *vm, const char *what);
/* A range of an image cannot be placed: @err from place_at() */
int load_misplaced(const struct vm *vm, const struct image *kernel, int err);

#endif
