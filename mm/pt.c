/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-table walker, see pt.h. Called by hostmap.c for the host's tables,
 * and for a VM's by hv/vm/memory.c, hv/run/mmio.c and hv/assign.
 *
 *   level 4 ──> level 3 ──> level 2 ──> level 1
 *                 │ 1G leaf   │ 2M leaf   │ 4K leaf      PS is bit 7 in all
 *
 * Invariants: a table is filled before an entry points to it, and an entry is
 * written by one store. So a hardware walker on another core sees the old or
 * the new translation. Tables stay until pt_destroy(), because a walker may
 * still hold an address in its paging-structure cache; but for those that
 * pt_merge() (pt_exec.c) hands to its caller.
 *
 * Locks: none; the owner of a table serializes changes to it.
 */
#include "mm/pt.h"

#include "arch/x86/cpu/features.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/pt_priv.h"

/* What is left of a mapping in progress */
struct run {
	u64 addr, hpa, size;
	u32 attrs;
};

u64 pt_make_leaf(const struct page_table *pt, u64 hpa, u32 attrs, u32 level)
{
	if (pt->split_exec && level > 1 && (attrs & PT_X))
		return hpa | pt->fmt->leaf(attrs & ~(u32)PT_X, level) |
		       pt->fmt->exec_later;
	return hpa | pt->fmt->leaf(attrs, level);
}

static u64 *table_new(struct page_table *pt)
{
	return pmm_alloc(pt->budget, 0);
}

static void table_link(const struct page_table *pt, u64 *slot, u64 *table)
{
	entry_write(slot, virt_to_hpa(table).v | pt->fmt->table_bits);
}

bool pt_mtrrs_apply(const struct page_table *pt)
{
	return pt->fmt->mtrrs_apply;
}

int pt_init(struct page_table *pt, const struct pt_format *fmt,
	    struct budget *b, u32 max_level)
{
	if (!max_level || max_level > 3)
		return -EINVAL;
	pt->fmt = fmt;
	pt->budget = b;
	pt->max_level = max_level;
	pt->split_exec = false;
	pt->changes = 0;
	pt->root = table_new(pt);
	return pt->root ? 0 : -ENOMEM;
}

static int range_check(u64 addr, u64 size)
{
	/* The upper canonical half uses the same 48 bits */
	addr &= PT_ADDR_MAX - 1;
	if (!size || size > PT_ADDR_MAX - addr)
		return -EINVAL;
	return IS_ALIGNED(addr | size, PAGE_SIZE) ? 0 : -EINVAL;
}

/* Bytes from @addr to the end of the level's entry, at most @size */
static u64 entry_span(u64 addr, u64 size, u32 level)
{
	u64 left = level_size(level) - (addr & (level_size(level) - 1));

	return MIN(left, size);
}

static bool range_is_empty(const struct page_table *pt, const u64 *table,
			   u32 level, u64 addr, u64 size)
{
	while (size) {
		u64 span = entry_span(addr, size, level);
		u64 e = READ_ONCE(table[level_index(addr, level)]);

		if (entry_present(pt, e)) {
			if (entry_is_leaf(e, level))
				return false;
			if (!range_is_empty(pt, entry_table(e), level - 1, addr,
					    span))
				return false;
		}
		addr += span;
		size -= span;
	}
	return true;
}

static bool leaf_fits(const struct page_table *pt, const struct run *r,
		      u32 level)
{
	u64 size = level_size(level);

	return level <= pt->max_level && r->size >= size &&
	       IS_ALIGNED(r->addr | r->hpa, size);
}

static void run_advance(struct run *r, u64 bytes)
{
	r->addr += bytes;
	r->hpa += bytes;
	r->size -= bytes;
}

static int map_level(struct page_table *pt, u64 *table, u32 level,
		     struct run *r)
{
	u32 i = level_index(r->addr, level);

	for (; r->size && i < PT_ENTRIES; i++) {
		u64 *slot = &table[i], *child;
		bool fresh = !entry_present(pt, *slot);
		int err;

		if (fresh && leaf_fits(pt, r, level)) {
			entry_write(slot,
				    pt_make_leaf(pt, r->hpa, r->attrs, level));
			run_advance(r, level_size(level));
			continue;
		}
		child = fresh ? table_new(pt) : entry_table(*slot);
		if (!child)
			return -ENOMEM;
		err = map_level(pt, child, level - 1, r);
		if (fresh)
			table_link(pt, slot, child);
		if (err)
			return err;
	}
	return 0;
}

int pt_map(struct page_table *pt, u64 addr, hpa_t hpa, u64 size, u32 attrs)
{
	struct run r = { .addr = addr & (PT_ADDR_MAX - 1),
			 .hpa = hpa.v,
			 .size = size,
			 .attrs = attrs };
	u64 start = r.addr;
	int err = range_check(addr, size);

	if (err)
		return err;
	if (!(attrs & PT_R) || !IS_ALIGNED(hpa.v, PAGE_SIZE) ||
	    hpa.v >= cpu_phys_end() || size > cpu_phys_end() - hpa.v)
		return -EINVAL;
	if (!range_is_empty(pt, pt->root, PT_LEVELS, start, size))
		return -EEXIST;
	pt->changes++;
	err = map_level(pt, pt->root, PT_LEVELS, &r);
	/* What was mapped ends at a leaf's edge: no split, cannot fail */
	if (err && r.addr > start)
		ASSERT(!pt_unmap(pt, start, r.addr - start));
	return err;
}

int pt_leaf_split(struct page_table *pt, u64 *slot, u32 level)
{
	u64 first = pt_make_leaf(pt, leaf_hpa(*slot, level),
				 pt->fmt->attrs(*slot), level - 1);
	u64 step = level_size(level - 1);
	u64 *table = table_new(pt);

	if (!table)
		return -ENOMEM;
	for (u32 i = 0; i < PT_ENTRIES; i++)
		table[i] = first + i * step;
	table_link(pt, slot, table);
	return 0;
}

/* Make @addr an edge between leaves */
static int split_at(struct page_table *pt, u64 addr)
{
	u64 *table = pt->root;

	for (u32 level = PT_LEVELS; level > 1; level--) {
		u64 *slot = &table[level_index(addr, level)];
		int err;

		if (IS_ALIGNED(addr, level_size(level)) ||
		    !entry_present(pt, *slot))
			return 0;
		if (entry_is_leaf(*slot, level)) {
			err = pt_leaf_split(pt, slot, level);
			if (err)
				return err;
		}
		table = entry_table(*slot);
	}
	return 0;
}

static void clear_range(struct page_table *pt, u64 *table, u32 level, u64 addr,
			u64 size)
{
	while (size) {
		u64 span = entry_span(addr, size, level);
		u64 *slot = &table[level_index(addr, level)];

		if (entry_present(pt, *slot)) {
			if (entry_is_leaf(*slot, level))
				entry_write(slot, 0);
			else
				clear_range(pt, entry_table(*slot), level - 1,
					    addr, span);
		}
		addr += span;
		size -= span;
	}
}

int pt_unmap(struct page_table *pt, u64 addr, u64 size)
{
	int err = range_check(addr, size);

	if (err)
		return err;
	addr &= PT_ADDR_MAX - 1;
	pt->changes++;
	err = split_at(pt, addr);
	if (!err)
		err = split_at(pt, addr + size);
	if (!err)
		clear_range(pt, pt->root, PT_LEVELS, addr, size);
	return err;
}

int pt_query(const struct page_table *pt, u64 addr, hpa_t *hpa, u32 *attrs,
	     u64 *left)
{
	const u64 *table = pt->root;

	addr &= PT_ADDR_MAX - 1;
	for (u32 level = PT_LEVELS; level > 0; level--) {
		u64 e = READ_ONCE(table[level_index(addr, level)]);
		u64 offset = addr & (level_size(level) - 1);

		if (!entry_present(pt, e))
			return -ENOENT;
		if (!entry_is_leaf(e, level)) {
			table = entry_table(e);
			continue;
		}
		*hpa = HPA(leaf_hpa(e, level) + offset);
		*attrs = pt->fmt->attrs(e);
		*left = level_size(level) - offset;
		return 0;
	}
	return -ENOENT;
}

u64 pt_hole(const struct page_table *pt, u64 addr)
{
	const u64 *table = pt->root;

	addr &= PT_ADDR_MAX - 1;
	for (u32 level = PT_LEVELS; level > 0; level--) {
		u64 e = READ_ONCE(table[level_index(addr, level)]);

		if (!entry_present(pt, e))
			return level_size(level);
		if (entry_is_leaf(e, level))
			return 0;
		table = entry_table(e);
	}
	return 0;
}

u64 *pt_slots_4k(struct page_table *pt, u64 addr)
{
	u64 *table = pt->root;

	for (u32 level = PT_LEVELS; level > 1; level--) {
		u64 *slot = &table[level_index(addr, level)], *child;

		if (!entry_present(pt, *slot)) {
			child = table_new(pt);
			if (!child)
				return NULL;
			table_link(pt, slot, child);
		} else if (entry_is_leaf(*slot, level)) {
			return NULL;
		}
		table = entry_table(*slot);
	}
	return table;
}

/* As long as *@left is not 0; true: @table and those below it are gone */
static bool table_free(struct page_table *pt, u64 *table, u32 level, u32 *left)
{
	for (u32 i = 0; level > 1 && i < PT_ENTRIES; i++) {
		if (!entry_present(pt, table[i]) ||
		    entry_is_leaf(table[i], level))
			continue;
		if (!table_free(pt, entry_table(table[i]), level - 1, left))
			return false;
		table[i] = 0;
	}
	if (!*left)
		return false;
	--*left;
	pmm_free(pt->budget, table, 0);
	return true;
}

bool pt_destroy_some(struct page_table *pt, u32 max)
{
	if (pt->root && !table_free(pt, pt->root, PT_LEVELS, &max))
		return false;
	pt->root = NULL;
	return true;
}

void pt_destroy(struct page_table *pt)
{
	while (!pt_destroy_some(pt, UINT32_MAX))
		;
}
