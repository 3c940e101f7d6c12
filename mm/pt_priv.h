/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries and levels, for mm/pt.c and mm/pt_exec.c alone. A level is 4 for the
 * root, down to 1. No lock: who changes a table serializes that.
 */
#ifndef MM_PT_PRIV_H
#define MM_PT_PRIV_H

#include "mm/pt_format.h"

static inline u64 level_size(u32 level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

static inline u32 level_index(u64 addr, u32 level)
{
	return (u32)(addr >> (PAGE_SHIFT + 9 * (level - 1))) % PT_ENTRIES;
}

static inline bool entry_present(const struct page_table *pt, u64 entry)
{
	return entry & pt->fmt->present_mask;
}

static inline bool entry_is_leaf(u64 entry, u32 level)
{
	return level == 1 || (entry & PTE_PS);
}

static_assert(PTE_PS == EPTE_PS, "one test for all formats");

static inline u64 *entry_table(u64 entry)
{
	return hpa_to_virt(HPA(entry & PTE_ADDR));
}

/* Write an entry behind all that was written before. x86 keeps stores in order,
 * so only the compiler needs telling. */
static inline void entry_write(u64 *slot, u64 entry)
{
	barrier();
	WRITE_ONCE(*slot, entry);
}

/* In a large leaf the bits below its size are no address: bit 12 is PAT */
static inline u64 leaf_hpa(u64 entry, u32 level)
{
	return entry & PTE_ADDR & ~(level_size(level) - 1);
}

/* A leaf of @level that maps @hpa; with split_exec, a large one with PT_X waits
 * for pt_exec() */
u64 pt_make_leaf(const struct page_table *pt, u64 hpa, u32 attrs, u32 level);
/* Replace the leaf of @level > 1 in @slot by a table of smaller ones that map
 * the same. -ENOMEM: no memory for it. */
int __must_check pt_leaf_split(struct page_table *pt, u64 *slot, u32 level);

#endif
