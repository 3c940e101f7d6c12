/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk of VT-d's tables in the legacy mode, see vtd_walk.h: root entry of the
 * bus, context entry of the function, four levels of the second stage (VT-d
 * 4.1, 3.4.2 *Mapping Devices to Domains*, 3.7 *Second-Stage Translation*).
 * Each level reads one entry, so that no tables can keep it for longer.
 */
#include "hv/assign/vtd_walk.h"

#include "include/hw/vtd.h"
#include "lib/errno.h"

#define IOVA_BITS      48u
#define LEVELS         4u
#define LEVEL_BITS     9u
#define SL_ENTRY_BYTES 8u
#define LARGE_LEVEL    3u /* 1 GiB is the largest page */

/* @entry's pointer to a table or page. False: it has bits that the guest's
 * physical addresses do not. */
static bool pointer(const struct vtd_tables *t, u64 entry, u64 *gpa)
{
	*gpa = entry & VTD_TABLE;
	return !(*gpa >> t->width);
}

/* Entry @i of the table at @table, of which the first 8 bytes point on */
static bool table_entry(const struct vtd_tables *t, u64 table, u32 i,
			u64 entry[2])
{
	u64 at = table + i * VTD_ENTRY_BYTES;

	return t->read(t->arg, at, &entry[0]) &&
	       t->read(t->arg, at + 8, &entry[1]) && entry[0] & VTD_PRESENT;
}

/* The device's second-stage table */
static bool find_table(const struct vtd_tables *t, u64 *table)
{
	u64 entry[2], at;

	if (t->root & VTD_ROOT_LEGACY || !pointer(t, t->root, &at) ||
	    !table_entry(t, at, t->bus, entry) || !pointer(t, entry[0], &at) ||
	    !table_entry(t, at, t->devfn, entry))
		return false;
	return !(entry[0] & VTD_CONTEXT_TT) &&
	       (entry[1] & VTD_CONTEXT_AW) == VTD_AW_48 &&
	       pointer(t, entry[0], table);
}

static u32 level_shift(u32 level)
{
	return PAGE_SHIFT + LEVEL_BITS * (level - 1);
}

/* The page of @size bytes that @base is the pointer of */
static int page(u64 base, u64 size, u64 iova, u64 *gpa, u64 *left)
{
	if (base & (size - 1))
		return -EFAULT; /* reserved bits of a large page */
	*gpa = base | (iova & (size - 1));
	*left = size - (iova & (size - 1));
	return 0;
}

int vtd_walk(const struct vtd_tables *t, u64 iova, bool write, u64 *gpa,
	     u64 *left)
{
	u64 permission = write ? VTD_SL_WRITE : VTD_SL_READ;
	u64 table, entry;

	if (iova >> IOVA_BITS || !find_table(t, &table))
		return -EFAULT;
	for (u32 level = LEVELS; level; level--) {
		u32 shift = level_shift(level);
		u64 i = iova >> shift & (BIT(LEVEL_BITS) - 1);
		bool large;

		if (!t->read(t->arg, table + i * SL_ENTRY_BYTES, &entry) ||
		    !(entry & permission) || !pointer(t, entry, &table))
			return -EFAULT;
		large = level > 1 && entry & VTD_SL_LARGE;
		if (large && level > LARGE_LEVEL)
			return -EFAULT;
		if (large || level == 1)
			return page(table, BIT(shift), iova, gpa, left);
	}
	return -EFAULT;
}
