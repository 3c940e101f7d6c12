/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's tables for the rest of mm/: under hostmap.c's lock */
#ifndef MM_HOSTMAP_PT_H
#define MM_HOSTMAP_PT_H

#include "lib/types.h"

/* As pt_map() */
int __must_check hostmap_map(u64 va, hpa_t hpa, u64 size, u32 attrs);
/* As pt_slots_4k(); NULL: no memory */
u64 *hostmap_slots(u64 va) __must_check;

#endif
