/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF as far as a kernel image needs it (System V ABI, *Object Files*), and
 * Xen's PVH boot structures (xen/include/public/arch-x86/hvm/start_info.h,
 * docs/misc/pvh.pandoc *x86/HVM direct boot ABI*).
 */
#ifndef HV_LOAD_PVH_REGS_H
#define HV_LOAD_PVH_REGS_H

#include "lib/types.h"

#define ELF_MAGIC     0x464c457fu
#define ELF_CLASS32   1
#define ELF_CLASS64   2
#define ELF_LSB       1
#define ELF_EM_386    3
#define ELF_EM_X86_64 62
#define ELF_PT_LOAD   1
#define ELF_PT_NOTE   4

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

#define XEN_NOTE_NAME            "Xen"
#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define HVM_START_MAGIC   0x336ec578u
#define HVM_START_VERSION 1

struct hvm_start_info {
	u32 magic, version, flags, nr_modules;
	u64 modlist_paddr, cmdline_paddr, rsdp_paddr;
	u64 memmap_paddr; /* version 1 */
	u32 memmap_entries, reserved;
} __packed;
static_assert(sizeof(struct hvm_start_info) == 56, "hvm_start_info");

struct hvm_modlist_entry {
	u64 paddr, size, cmdline_paddr, reserved;
} __packed;

struct hvm_memmap_entry {
	u64 addr, size;
	u32 type, reserved; /* E820 types */
} __packed;
static_assert(sizeof(struct hvm_memmap_entry) == 24, "hvm_memmap_table_entry");

#endif
