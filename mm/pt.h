/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page-table walker, three formats: host, EPT, NPT. A format is a row
 * (mm/pt_format.h); memory for tables comes from pmm_alloc(), charged to the
 * table's budget. A table never hangs in an upper entry before it is filled (a
 * concurrent hardware walker sees old or new, never a part).
 */
#ifndef MM_PT_H
#define MM_PT_H

#include "lib/types.h"
#include "mm/pmm.h"

enum pt_attr {
	PT_R = 1 << 0,
	PT_W = 1 << 1,
	PT_X = 1 << 2,
	PT_USER = 1 << 3, /* host format only */
	PT_WB = 0,        /* memory type, default */
	PT_UC = 1 << 4,
	PT_WC = 1 << 5,
	PT_GLOBAL = 1 << 6, /* host format only */
};

struct pt_format; /* rows: pt_host, pt_ept, pt_npt */
extern const struct pt_format pt_host, pt_ept, pt_npt;

struct page_table {
	const struct pt_format *fmt;
	struct budget *budget; /* table pages are charged here */
	void *root;            /* virtual; virt_to_hpa() for CR3/EPTP */
	u32 max_level;         /* largest leaf: 1 = 4K, 2 = 2M, 3 = 1G */
};

int __must_check pt_init(struct page_table *pt, const struct pt_format *fmt,
			 struct budget *b, u32 max_level);
/* Map [addr, addr+size) to hpa.. with the largest pages that fit alignment and
 * max_level. -EEXIST if any of it is mapped, -ENOMEM, -EINVAL (not page
 * aligned, too large, no PT_R); nothing stays mapped on error. Addresses of
 * the upper canonical half are taken by their low 48 bits. */
int __must_check pt_map(struct page_table *pt, u64 addr, hpa_t hpa, u64 size,
			u32 attrs);
/* Unmap, splitting larger pages at the edges; unmapped parts are skipped.
 * The caller flushes TLBs. -ENOMEM if a split needs a table: nothing changed.
 */
int __must_check pt_unmap(struct page_table *pt, u64 addr, u64 size);
/* 0 and the leaf's hpa (of @addr), attributes and bytes left, else -ENOENT */
int __must_check pt_query(const struct page_table *pt, u64 addr, hpa_t *hpa,
			  u32 *attrs, u64 *left);
/* The 512 entries of the 4 KiB leaves around @addr, made if absent, for who
 * writes leaves itself (mm/window.c); NULL: no memory, or a large page there */
u64 *pt_slots_4k(struct page_table *pt, u64 addr) __must_check;
/* Free the tables; what they mapped is the caller's */
void pt_destroy(struct page_table *pt);

#endif
