/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page-table walker, three formats: host, EPT, NPT. A format is a row
 * (mm/pt_format.h). Memory for tables comes from pmm_alloc() and is charged to
 * the table's budget. A hardware walker on another core sees each entry as it
 * was or as it will be, and never a table that is half filled.
 *
 * Any core. No lock here but pmm's, for new tables: who owns a table serializes
 * its changes and flushes TLBs. An address of the upper canonical half is taken
 * by its low 48 bits.
 */
#ifndef MM_PT_H
#define MM_PT_H

#include "lib/types.h"
#include "mm/pmm.h"

/* What a mapping permits, and its memory type: one of the three */
enum pt_attr {
	PT_R = 1 << 0,
	PT_W = 1 << 1,
	PT_X = 1 << 2,
	PT_WB = 0, /* memory type, default */
	PT_UC = 1 << 3,
	PT_WC = 1 << 4,
	/* Host format only */
	PT_GLOBAL = 1 << 5,
	PT_SHADOW = 1 << 6, /* a shadow stack; without PT_W */
};

struct pt_format; /* rows: pt_host, pt_ept, pt_npt */
extern const struct pt_format pt_host, pt_ept, pt_npt;

struct page_table {
	const struct pt_format *fmt;
	struct budget *budget; /* table pages are charged here */
	void *root;            /* virtual; virt_to_hpa() for CR3/EPTP */
	u32 max_level;         /* largest leaf: 1 = 4K, 2 = 2M, 3 = 1G */
	/* Large leaves are never executable: pt_exec() splits those that are to
	 * be. Set by the owner after pt_init(); for EPT. */
	bool split_exec;
	u64 changes; /* counts pt_map() and pt_unmap() */
};

/* Do the MTRRs have a say in the memory type of what @pt maps? SDM 3C 29.3.7.2;
 * APM 2 15.25.8 */
bool pt_mtrrs_apply(const struct page_table *pt);
/* An empty table whose leaves are @max_level at most, 1 to 3; the CPU has such
 * pages. -EINVAL: another level. -ENOMEM: no page for the root. */
int __must_check pt_init(struct page_table *pt, const struct pt_format *fmt,
			 struct budget *b, u32 max_level);
/*
 * Maps [@addr, @addr + @size) to @hpa and on, with @attrs and the largest pages
 * that both alignments and max_level allow. Needs no flush: CPUs do not cache
 * absent entries. On an error nothing of it stays mapped. -EEXIST: some of it
 * is mapped. -ENOMEM: no memory for a table. -EINVAL: not whole pages, none or
 * too many, no PT_R, or @hpa goes beyond cpu_phys_end(): the bits above are
 * reserved in an entry, and its use would fault in the host. Where tables are
 * already, it takes a step for each of their entries: see pt_hole().
 */
int __must_check pt_map(struct page_table *pt, u64 addr, hpa_t hpa, u64 size,
			u32 attrs);
/*
 * Unmaps [@addr, @addr + @size) and splits larger pages at its ends; what is
 * not mapped is passed over. The caller flushes TLBs. -ENOMEM: a split needs a
 * table. -EINVAL: not whole pages, or none. On an error all is mapped as it
 * was.
 */
int __must_check pt_unmap(struct page_table *pt, u64 addr, u64 size);
/*
 * Makes the page at @addr executable if it was mapped with PT_X: a large leaf
 * of a table with split_exec becomes small ones, which are. Needs no flush:
 * what a CPU has cached permits less, and it looks again before it faults (SDM
 * 3C 29.4.3.1 *Operations that Invalidate Cached Mappings*: an EPT violation
 * drops what it used). 1: it took a table of 4 KiB leaves, which pt_merge()
 * can take back. 0: it is executable as it was. -EAGAIN: it takes such a table,
 * and not @may_split. -ENOENT: not mapped. -EPERM: mapped without PT_X.
 * -ENOMEM: no memory for a table. On an error all maps as it did.
 */
int __must_check pt_exec(struct page_table *pt, u64 addr, bool may_split);
/*
 * The 2 MiB at @addr, which pt_exec() has made small, are one leaf again, which
 * is not executable. Returns their table: the caller gives it to
 * pmm_free(pt->budget, table, 0) when no CPU can use it any more, nor a
 * translation out of it (SDM 3C 29.4.3.4 *Guidelines for Use of the INVEPT
 * Instruction*). NULL, and nothing changes: there is no such table, or
 * something in it was unmapped or mapped otherwise since. Some 2,000
 * instructions.
 */
void *pt_merge(struct page_table *pt, u64 addr) __must_check;
/* What @addr is mapped to: *@hpa, the leaf's *@attrs, and how many bytes of the
 * leaf are *@left from there on. May race a change: it sees the old or the new
 * entry. -ENOENT: it is not mapped. */
int __must_check pt_query(const struct page_table *pt, u64 addr, hpa_t *hpa,
			  u32 *attrs, u64 *left);
/* The aligned piece around @addr, in bytes, for which there is neither a
 * mapping nor a table: pt_map() of it, or of a part, is done in a few steps. 0:
 * @addr is mapped. */
u64 pt_hole(const struct page_table *pt, u64 addr);
/* The 512 entries of the 4 KiB leaves of @addr's 2 MiB, whose tables are made
 * if absent, for a caller that writes leaves itself (mm/window.c). NULL: no
 * memory, or a large page is there. */
u64 *pt_slots_4k(struct page_table *pt, u64 addr) __must_check;
/* Frees the tables, which no CPU uses any more. The memory that they mapped is
 * the caller's. Without a root, as after a first call, it does nothing. */
void pt_destroy(struct page_table *pt);
/* The same in steps, of up to @max tables, at some 3,000 instructions each.
 * True: all are gone. In between only this or pt_destroy() follow. */
bool pt_destroy_some(struct page_table *pt, u32 max);

#endif
