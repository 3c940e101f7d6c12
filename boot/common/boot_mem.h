/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling boot_info.mem[] so that it is ascending, disjoint and in whole pages
 * whatever the firmware's map looks like. Called by both loaders, one core.
 */
#ifndef BOOT_COMMON_BOOT_MEM_H
#define BOOT_COMMON_BOOT_MEM_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/*
 * Add [@base, @base + @size). Usable memory is cut to whole pages, anything
 * else grown to them. Where ranges overlap the less usable type wins; ranges
 * that touch and are alike become one. When the table is full, kinds of memory
 * that are free after the loader become CONVENTIONAL to make room; -ENOSPC
 * when that does not help, and then the range is not in the table.
 */
int __must_check boot_mem_add(struct boot_info *bi, u64 base, u64 size,
			      u32 type, u64 attributes);
/* The machine's memory, used by firmware or free. Not so what is reserved:
 * holes of many GiB are, at addresses that no memory has */
bool boot_mem_is_ram(u32 type);
/* Address behind the last byte of RAM in mem[] */
u64 boot_mem_top(const struct boot_info *bi);

#endif
