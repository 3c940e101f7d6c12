/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's tables for the rest of mm/. Any core, after hostmap_init(); all
 * take map_lock, then pmm's.
 */
#ifndef MM_HOSTMAP_PT_H
#define MM_HOSTMAP_PT_H

#include "lib/types.h"

/* pt_map() of the host's tables, with its errors */
int __must_check hostmap_map(u64 va, hpa_t hpa, u64 size, u32 attrs);
/* pt_unmap() of the host's tables, with its errors. No TLB is flushed. */
int __must_check hostmap_unmap(u64 va, u64 size);
/* @bytes, whole pages, of ioremap()'s addresses, which are given out once; 0:
 * there are no more */
u64 hostmap_place(u64 bytes);
/* pt_slots_4k() of the host's tables. NULL: no memory. The entries are the
 * caller's to write, and no one else maps at @va. */
u64 *hostmap_slots(u64 va) __must_check;

#endif
