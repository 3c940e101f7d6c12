/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF-64 Object File Format 1.5: the file header and the program header */
#ifndef BOOT_COMMON_ELF_REGS_H
#define BOOT_COMMON_ELF_REGS_H

#include "lib/types.h"

#define ELF_MAGIC          0x464c457fu /* 0x7f 'E' 'L' 'F' */
#define ELF_CLASS64        2
#define ELF_DATA_LSB       1
#define ELF_TYPE_EXEC      2
#define ELF_MACHINE_X86_64 62
#define ELF_PT_LOAD        1
#define ELF_PF_X           1u

struct elf64_header {
	u32 magic;
	u8 file_class, data, ident_version, os_abi;
	u8 padding[8];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
static_assert(sizeof(struct elf64_header) == 64, "ELF-64 figure 2");

struct elf64_phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};
static_assert(sizeof(struct elf64_phdr) == 56, "ELF-64 figure 6");

#endif
