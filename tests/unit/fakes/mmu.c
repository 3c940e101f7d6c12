/* SPDX-License-Identifier: BSD-2-Clause */
/* A page walk, see mmu.h */
#include "tests/unit/fakes/mmu.h"

#include <stddef.h>

#define EPTE_IPAT   BIT(6)
#define ALL_RIGHTS  (MMU_R | MMU_W | MMU_X | MMU_USER)
#define LARGE_LEVEL 3u /* the highest level of a leaf */

enum mmu_kind mmu_kind(enum mmu_format format, u64 entry, u32 level)
{
	u64 present = format == MMU_EPT ? EPTE_R | EPTE_W | EPTE_X : PTE_P;

	if (!(entry & present))
		return MMU_ABSENT;
	if (level == 1)
		return MMU_LEAF;
	return level <= LARGE_LEVEL && entry & PTE_PS ? MMU_LEAF : MMU_TABLE;
}

static const char *ept_wrong(u64 entry, u32 level, bool leaf)
{
	u32 type = (u32)((entry & EPTE_TYPE) >> 3);

	if (!(entry & EPTE_R))
		return "EPT misconfiguration: writable or executable only";
	if (!leaf && entry & (EPTE_TYPE | EPTE_IPAT | EPTE_PS))
		return "EPT misconfiguration: reserved bits of a table";
	if (leaf && type != MEM_UC && type != MEM_WC && type != MEM_WT &&
	    type != MEM_WP && type != MEM_WB)
		return "EPT misconfiguration: memory type";
	if (leaf && entry & PTE_ADDR & (mmu_span(level) - 1))
		return "EPT misconfiguration: reserved bits of a large page";
	return NULL;
}

/* Accessed and dirty bits are none of the manuals' reserved ones, but the CPU
 * would write to a table that it finds without them. Dirty and not writable is
 * a shadow stack, which these tests make none of. */
static const char *amd64_wrong(u64 entry, u32 level, bool leaf)
{
	u64 low = PTE_ADDR & (mmu_span(level) - 1);

	if (!(entry & PTE_A) || (leaf && (entry & PTE_W) && !(entry & PTE_D)))
		return "the CPU would set A or D";
	if (leaf && !(entry & PTE_W) && (entry & PTE_D))
		return "a shadow stack";
	if (!leaf && entry & PTE_PS)
		return "PS is reserved";
	if (leaf && level > 1 && entry & low & ~PTE_PAT_LARGE)
		return "reserved bits of a large page";
	return NULL;
}

static u32 entry_rights(enum mmu_format format, u64 entry)
{
	if (format == MMU_EPT)
		return (entry & EPTE_R ? MMU_R : 0u) |
		       (entry & EPTE_W ? MMU_W : 0u) |
		       (entry & EPTE_X ? MMU_X : 0u) | MMU_USER;
	return MMU_R | (entry & PTE_W ? MMU_W : 0u) |
	       (entry & PTE_NX ? 0u : MMU_X) | (entry & PTE_U ? MMU_USER : 0u);
}

static u32 leaf_type(enum mmu_format format, u64 entry, u32 level)
{
	u64 pat = level > 1 ? PTE_PAT_LARGE : PTE_PAT_4K;
	u32 i;

	if (format == MMU_EPT)
		return (u32)((entry & EPTE_TYPE) >> 3);
	i = (entry & pat ? 4u : 0u) | (entry & PTE_PCD ? 2u : 0u) |
	    (entry & PTE_PWT ? 1u : 0u);
	return (u32)(HOST_PAT >> (8 * i) & 0xff);
}

static void take_leaf(struct mmu_range *r, enum mmu_format format, u64 entry,
		      u32 level)
{
	r->present = true;
	r->hpa = entry & PTE_ADDR & ~(mmu_span(level) - 1);
	r->type = leaf_type(format, entry, level);
	r->global = format == MMU_HOST && entry & PTE_G;
}

struct mmu_range mmu_walk(enum mmu_format format, mmu_table_fn table, u64 root,
			  u64 addr)
{
	struct mmu_range r = { .rights = ALL_RIGHTS };
	u64 at = root;

	for (u32 level = PT_LEVELS; level; level--) {
		const u64 *entries = table(at);
		enum mmu_kind kind;
		u64 entry;

		if (!entries) {
			r.wrong = "a table that is none";
			return r;
		}
		r.size = mmu_span(level);
		r.base = ALIGN_DOWN(addr, r.size);
		entry = entries[addr / r.size % PT_ENTRIES];
		kind = mmu_kind(format, entry, level);
		if (kind == MMU_ABSENT)
			return r;
		r.rights &= entry_rights(format, entry);
		r.wrong = format == MMU_EPT
				  ? ept_wrong(entry, level, kind == MMU_LEAF)
				  : amd64_wrong(entry, level, kind == MMU_LEAF);
		if (kind == MMU_LEAF)
			take_leaf(&r, format, entry, level);
		if (kind == MMU_LEAF || r.wrong)
			return r;
		at = entry & PTE_ADDR;
	}
	return r;
}
