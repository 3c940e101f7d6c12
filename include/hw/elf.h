/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF as far as a kernel image needs it, our own among them (System V ABI,
 * *Object Files*; ELF-64 Object File Format 1.5) */
#ifndef HW_ELF_H
#define HW_ELF_H

#include "lib/types.h"

#define ELF_MAGIC     0x464c457fu
#define ELF_CLASS32   1
#define ELF_CLASS64   2
#define ELF_LSB       1
#define ELF_ET_EXEC   2
#define ELF_EM_386    3
#define ELF_EM_X86_64 62
#define ELF_PT_LOAD   1
#define ELF_PT_NOTE   4
#define ELF_PF_X      1u

struct elf_ident {
	u32 magic;
	u8 class, data, version, abi;
	u8 pad[8];
	u16 type, machine;
	u32 version2;
} __packed;
static_assert(sizeof(struct elf_ident) == 24, "common to both classes");

struct elf32_header {
	struct elf_ident ident;
	u32 entry, phoff, shoff, flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
} __packed;
static_assert(sizeof(struct elf32_header) == 52, "Elf32_Ehdr");

struct elf64_header {
	struct elf_ident ident;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
} __packed;
static_assert(sizeof(struct elf64_header) == 64, "Elf64_Ehdr");

struct elf32_phdr {
	u32 type, offset, vaddr, paddr, filesz, memsz, flags, align;
} __packed;
static_assert(sizeof(struct elf32_phdr) == 32, "Elf32_Phdr");

struct elf64_phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
} __packed;
static_assert(sizeof(struct elf64_phdr) == 56, "Elf64_Phdr");

struct elf_note {
	u32 namesz, descsz, type;
} __packed;

#define ELF_SHT_NOBITS 8

struct elf32_shdr {
	u32 name, type, flags, addr, offset, size;
	u32 link, info, addralign, entsize;
} __packed;
static_assert(sizeof(struct elf32_shdr) == 40, "Elf32_Shdr");

struct elf64_shdr {
	u32 name, type;
	u64 flags, addr, offset, size;
	u32 link, info;
	u64 addralign, entsize;
} __packed;
static_assert(sizeof(struct elf64_shdr) == 64, "Elf64_Shdr");

#endif
