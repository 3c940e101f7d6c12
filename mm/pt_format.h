/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What differs between host tables, EPT and NPT. All have four levels of 512
 * entries of 8 bytes, with the address in bits 51:12. For mm/pt.c and tests.
 * SDM 3A 4.5 *4-Level Paging and 5-Level Paging*; SDM 3C 29.3.2 *EPT
 * Translation Mechanism*; APM 2 5.3 *Long-Mode Page Translation*.
 */
#ifndef MM_PT_FORMAT_H
#define MM_PT_FORMAT_H

#include "include/hw/paging.h"
#include "mm/pt.h"

struct pt_format {
	const char *name;
	/* An entry is present if one of these bits is set */
	u64 present_mask;
	/* Bits, without the address, of an entry that points to a table */
	u64 table_bits;
	/* In a large leaf without X: its pages are to be executable once they
	 * are small (pt_exec()). 0: this format has no such bit. */
	u64 exec_later;
	/* The CPU combines a leaf's memory type with the MTRRs'. Where it does
	 * not, the leaf stands in their place. */
	bool mtrrs_apply;
	/* Bits, without the address, of a leaf at @level (1 to 3) with @attrs,
	 * enum pt_attr; what the format does not have is ignored */
	u64 (*leaf)(u32 attrs, u32 level);
	/* The attributes of a leaf: leaf() backwards */
	u32 (*attrs)(u64 entry);
};

#endif
