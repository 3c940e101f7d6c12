/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The GRUB loader, part of the hypervisor's image: what its files share. Boot
 * core, interrupts off, in long mode with the lowest 4 GiB mapped 1:1; no
 * locks.
 */
#ifndef BOOT_MULTIBOOT2_MULTIBOOT2_H
#define BOOT_MULTIBOOT2_MULTIBOOT2_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/* entry.asm: the TSC at the first instruction, and the root of its tables */
extern u64 multiboot2_tsc;
extern u64 multiboot2_pml4[];

/* Fills boot_info from GRUB's boot information at @info_hpa and enters the
 * hypervisor, whose image lies at @load_hpa. Called by entry.asm at the link
 * address. Multiboot2 2.0, 3.6 *Boot information format*. */
__noreturn void multiboot2_main(u64 info_hpa, u64 load_hpa);

/* Sets cpu_source and cpu_apic_ids[]: the boot core, what an MP table says, and
 * whether there is an MADT. After rsdp and efi in @bi are set. */
void multiboot2_find_cpus(struct boot_info *bi);

/*
 * The two below take free pages, which become BOOT_MEM_LOADER_DATA in mem[].
 * They spare the image, the modules, and GRUB's boot information, which is
 * @info_size bytes at @info_hpa.
 */
/* Copies UEFI's memory map out of the boot information. Without room for it,
 * @bi has none. */
void multiboot2_keep_efi_map(struct boot_info *bi, u64 info_hpa, u64 info_size);
/* Makes the identity map reach what boot_info.h promises. Without room for
 * tables it stays at 4 GiB, and @bi's problem says so. */
void multiboot2_map_all(struct boot_info *bi, u64 info_hpa, u64 info_size);

/* Enters the hypervisor (hv/entry.asm); boot_info.h says in what state */
__noreturn void hv_start(u64 boot_info_hpa);

#endif
