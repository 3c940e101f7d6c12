/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's address space: text read-only and executable, data not
 * executable, the pool in the direct map, devices in an ioremap range, and the
 * per-core windows (mm/window.h). No guest page is mapped elsewhere. Nothing
 * is ever mapped in two of these ranges with two memory types.
 */
#ifndef MM_HOSTMAP_H
#define MM_HOSTMAP_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

#define HV_IMAGE_BASE   0xffffffff80000000ull /* linker.ld */
#define HV_DIRECT_BASE  0xffff800000000000ull /* + hpa, pool only */
#define HV_IOREMAP_BASE 0xffffc00000000000ull
#define HV_WINDOW_BASE  0xffffd00000000000ull /* + cpu * 2 MiB */
#define HV_EARLY_BASE   0xffffe00000000000ull /* early_map() */

/* The pool is made for so many cores at least, whatever boot_info tells */
#define HOSTMAP_MIN_CORES 4u

/*
 * Takes the image and the pool from the firmware's map (owner_init() comes
 * first), builds the tables and switches to them, and lets owner_take() have
 * the loader's memory from then on: whoever still needs some (boot_info, the
 * modules, the EFI map) copies it or takes it before. Boot CPU, after
 * cpu_boot_init(). -ENOMEM, or -EBUSY when the image does not lie in free RAM.
 */
int __must_check hostmap_init(const struct boot_info *bi);
/* Our own tables are in force */
bool hostmap_ready(void);
/* More pool, for more cores than boot_info told of; one core, at boot */
int __must_check hostmap_grow_pool(u64 size);
/* Load the same tables elsewhere. Control registers first (cpu.h). */
void hostmap_load_cpu(void);
/* CR3; below 4 GiB, so that a core can load it before long mode */
hpa_t hostmap_root(void);
/* Map device or firmware memory for good; any alignment; NULL when out of room
 * and before hostmap_init() */
void *ioremap(hpa_t hpa, u64 size, u32 pt_attrs) __must_check;
/* End a mapping of ioremap(): same address and size. Other cores may keep a
 * translation of what they have read through it; nobody uses the address
 * again. */
void iounmap(const void *va, u64 size);
/* Boot only, one core: a temporary view of physical memory, whole range,
 * until early_unmap(); for ACPI tables, modules, boot_info. Any alignment, at
 * most HV_EARLY_SLOTS at a time; NULL when the range is none or does not fit.
 * Works before hostmap_init() too, through the loader's map (which knows only
 * the lowest 512 GiB); such a view ends with hostmap_init(). */
#define HV_EARLY_SLOTS 8
void *early_map(hpa_t hpa, u64 size) __must_check;
void early_unmap(void *va, u64 size);
/* One page, executable, at its physical address: where a core starts in real
 * mode and turns paging on. Unmap before guests run. */
int __must_check hostmap_identity_map(hpa_t page);
void hostmap_identity_unmap(hpa_t page);

#endif
