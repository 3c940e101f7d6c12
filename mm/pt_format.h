/* SPDX-License-Identifier: BSD-2-Clause */
/* What differs between host tables, EPT and NPT; all have four levels of 512
 * eight-byte entries and the address in bits 51:12. For mm/pt.c and tests. */
#ifndef MM_PT_FORMAT_H
#define MM_PT_FORMAT_H

#include "include/hw/paging.h"
#include "mm/pt.h"

struct pt_format {
	const char *name;
	/* A set bit in one of these means the entry is present */
	u64 present_mask;
	/* Bits of an entry that points to a table */
	u64 table_bits;
	/* Bits, without the address, of a leaf at @level */
	u64 (*leaf)(u32 attrs, u32 level);
	/* The attributes back from a leaf */
	u32 (*attrs)(u64 entry);
};

#endif
