/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xen's PVH boot structures (xen/include/public/arch-x86/hvm/start_info.h,
 * docs/misc/pvh.pandoc *x86/HVM direct boot ABI*).
 */
#ifndef HW_PVH_H
#define HW_PVH_H

#include "include/hw/elf.h"

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
