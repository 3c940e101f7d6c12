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

/* A kernel has a dozen program headers. The walks over them take no longer than
 * over so many, whatever the file says. */
#define ELF_PHDRS_MAX 256u

struct elf {
	const struct image *file;
	bool is64;
	u64 entry, phoff, shoff;
	u32 phentsize, phnum, shentsize, shnum, shstrndx;
};

/* A program header, whatever its class */
struct elf_segment {
	u32 type;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

/* A section header, whatever its class: what a loader needs of it */
struct elf_section {
	u32 type;
	u64 addr, offset, size;
};

/* True if [@offset, @offset + @size) lies in the file */
bool elf_in_file(const struct image *f, u64 offset, u64 size);
/* Read the ELF header into @e. False: it is no ELF for x86. */
bool elf_parse(struct elf *e, const struct image *file);
/* True if program headers, or bytes of a segment or note, lie beyond the file's
 * end. One with no bytes in the file or none in memory needs none. */
bool elf_is_cut(const struct elf *e);
/* Program header @i < phnum, once elf_is_cut() is false for these headers */
struct elf_segment elf_segment(const struct elf *e, u32 i);
/* True if the section headers are in the file and have their class's size */
bool elf_has_sections(const struct elf *e);
/* Section header @i < shnum, once elf_has_sections() is true */
struct elf_section elf_section(const struct elf *e, u32 i);

/* Take the place of every PT_LOAD, all below 4 GiB; @entry must lie in one.
 * After one sentence, -ENOEXEC: the file contradicts itself or overlaps what is
 * taken; -ENOMEM: there is no RAM where it is linked. */
int __must_check elf_place(struct vm *vm, struct place *p, const struct elf *e,
			   u32 entry);
/* Note the segments that were placed, with the zeros behind them, to be filled
 * in. -EFAULT: not RAM. */
int __must_check elf_write(struct vm *vm, const struct elf *e);

/* The loaders' sentences; each logs one and returns the error. load_bad():
 * "kernel = FILE: @what", -ENOEXEC. load_no_room(): no room for the @what,
 * -ENOMEM. */
int load_bad(const struct vm *vm, const struct image *kernel, const char *what);
int load_no_room(const struct vm *vm, const char *what);
/* A range of the kernel cannot be placed: @err is place_at()'s. -ENOEXEC if it
 * overlaps, else -ENOMEM. */
int load_misplaced(const struct vm *vm, const struct image *kernel, int err);

#endif
