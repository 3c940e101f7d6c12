/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large leaves that are to be executable (struct page_table, split_exec): made
 * small at the first fetch, and large again. Called by hv/core/split.c.
 *
 *   2 MiB leaf, no X, exec_later  -- pt_exec() -->  512 leaves of 4 KiB, X
 *                                 <-- pt_merge() --
 *
 * Either way one store changes the entry, and what it says before and after
 * differs in the right to execute alone. No CPU ever has an executable
 * translation of 2 MiB, so none finds one beside those of 4 KiB. No lock, see
 * pt.h.
 */
#include "lib/errno.h"
#include "mm/pt_priv.h"

/* The entry that ends the walk to @addr: a leaf, or absent */
static u64 *walk_end(const struct page_table *pt, u64 addr, u32 *level)
{
	u64 *table = pt->root;

	for (*level = PT_LEVELS;; --*level) {
		u64 *slot = &table[level_index(addr, *level)];
		u64 e = READ_ONCE(*slot);

		if (!entry_present(pt, e) || entry_is_leaf(e, *level))
			return slot;
		table = entry_table(e);
	}
}

/* A leaf whose pages are executable only once they are small */
static bool exec_waits(const struct page_table *pt, u64 e, u32 level)
{
	return entry_present(pt, e) && level > 1 && (e & pt->fmt->exec_later);
}

int pt_exec(struct page_table *pt, u64 addr, bool may_split)
{
	u32 level;
	u64 *slot = walk_end(pt, addr, &level);
	int err = 0;

	if (exec_waits(pt, *slot, level) && level > 2) {
		err = pt_leaf_split(pt, slot, level);
		slot = walk_end(pt, addr, &level);
	}
	if (err)
		return err;
	if (!entry_present(pt, *slot))
		return -ENOENT;
	if (!exec_waits(pt, *slot, level))
		return pt->fmt->attrs(*slot) & PT_X ? 0 : -EPERM;
	if (!may_split)
		return -EAGAIN;
	err = pt_leaf_split(pt, slot, level);
	return err ? err : 1;
}

/* Does @table map 2 MiB in a piece, all of it executable and with the same
 * rights and memory type? The CPU writes nothing there: an EPT's accessed and
 * dirty flags are off (SDM 3C 29.3.5), so entries are as they were made. */
static bool is_whole(const struct page_table *pt, const u64 *table)
{
	u64 first = table[0];

	if (!entry_present(pt, first) || !(pt->fmt->attrs(first) & PT_X) ||
	    !IS_ALIGNED(first & PTE_ADDR, PAGE_2M))
		return false;
	for (u32 i = 1; i < PT_ENTRIES; i++)
		if (table[i] != first + i * PAGE_SIZE)
			return false;
	return true;
}

void *pt_merge(struct page_table *pt, u64 addr)
{
	u64 *table = pt->root, *slot = NULL;

	for (u32 level = PT_LEVELS; level > 1; level--) {
		slot = &table[level_index(addr, level)];
		if (!entry_present(pt, *slot) || entry_is_leaf(*slot, level))
			return NULL;
		table = entry_table(*slot);
	}
	if (!pt->split_exec || pt->max_level < 2 || !is_whole(pt, table))
		return NULL;
	entry_write(slot, pt_make_leaf(pt, table[0] & PTE_ADDR,
				       pt->fmt->attrs(table[0]), 2));
	return table;
}
