/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling boot_info.mem[]: ascending, disjoint and in whole pages, whatever the
 * firmware's map looks like. Called by both loaders, on the boot core; no
 * locks.
 */
#ifndef BOOT_COMMON_BOOT_MEM_H
#define BOOT_COMMON_BOOT_MEM_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/*
 * Adds [@base, @base + @size) of @type, with UEFI's @attributes or 0. What lies
 * beyond 52 bits is cut off. A type of OEMs or the OS becomes RESERVED, and so
 * does memory that is not accepted yet. Free memory with EFI_MEMORY_SP is
 * BOOT_MEM_SPECIAL. Usable memory is cut to whole pages, anything else grown to
 * them. Where ranges overlap, the less usable type wins. Ranges that touch and
 * are alike become one.
 *
 * When the table is full, memory that is free after the loader becomes
 * CONVENTIONAL, to make room. -ENOSPC: that does not help, and the table has a
 * part of the range at most.
 */
int __must_check boot_mem_add(struct boot_info *bi, u64 base, u64 size,
			      u32 type, u64 attributes);
/* Is @type memory that exists, free or in the firmware's use? What is reserved
 * does not count: holes of many GiB are, at addresses that no memory has. */
bool boot_mem_is_ram(u32 type);
/* Address behind the last byte of such memory in mem[]; 0: there is none */
u64 boot_mem_top(const struct boot_info *bi);

#endif
