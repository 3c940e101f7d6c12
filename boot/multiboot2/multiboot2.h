/* SPDX-License-Identifier: BSD-2-Clause */
/* The GRUB loader's parts, private to boot/multiboot2. Boot core, no locks. */
#ifndef BOOT_MULTIBOOT2_MULTIBOOT2_H
#define BOOT_MULTIBOOT2_MULTIBOOT2_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/* entry.asm: the TSC at the first instruction, and the root of its tables */
extern u64 multiboot2_tsc;
extern u64 multiboot2_pml4[];

/* From entry.asm, in the higher half with 4 GiB mapped 1:1: GRUB's boot
 * information, and where the image lies */
__noreturn void multiboot2_main(u64 info_hpa, u64 load_hpa);

/* Cores: the MADT where there is one, and what the MP table says */
void multiboot2_find_cpus(struct boot_info *bi);

/* The two below take free pages, which become BOOT_MEM_LOADER_DATA in mem[];
 * GRUB's boot information at @info_hpa is spared.
 *
 * Copy UEFI's memory map out of the boot information */
void multiboot2_keep_efi_map(struct boot_info *bi, u64 info_hpa, u64 info_size);
/* Make the identity map reach what struct boot_info promises */
void multiboot2_map_all(struct boot_info *bi, u64 info_hpa, u64 info_size);

/* The hypervisor; hv/entry.asm, contract in boot_info.h */
__noreturn void hv_start(u64 boot_info_hpa);

#endif
