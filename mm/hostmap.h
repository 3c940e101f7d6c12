/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's address space: text read-only and executable, data not
 * executable, the pool in the direct map, devices in an ioremap range, and the
 * per-core windows (mm/window.h). No guest page is mapped elsewhere.
 */
#ifndef MM_HOSTMAP_H
#define MM_HOSTMAP_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

#define HV_IMAGE_BASE 0xffffffff80000000ull /* linker.ld */
#define HV_DIRECT_BASE 0xffff800000000000ull /* + hpa, pool only */
#define HV_IOREMAP_BASE 0xffffc00000000000ull
#define HV_WINDOW_BASE 0xffffd00000000000ull /* + cpu * 2 MiB */

/* Takes the pool from the firmware's map (owner_take), builds the tables and
 * switches to them; boot_info stays reachable only if copied before. Boot CPU. */
int __must_check hostmap_init(const struct boot_info *bi);
/* Load the same tables and protections (NXE, WP, SMEP, SMAP, PAT) elsewhere */
void hostmap_load_cpu(void);
hpa_t hostmap_root(void);
/* Map device or firmware memory for good; NULL when out of room */
void *ioremap(hpa_t hpa, u64 size, u32 pt_attrs) __must_check;
/* Boot only, one core: a temporary view of physical memory, whole range,
 * until early_unmap(); for ACPI tables, modules, boot_info */
void *early_map(hpa_t hpa, u64 size) __must_check;
void early_unmap(void *va, u64 size);

#endif
