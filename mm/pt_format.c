/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three rows of pt_format.h.
 *
 * Host and NPT leaves name their memory type by PAT index; an NPT's index is
 * looked up in the host's PAT (APM 2 15.25.8 *Combining Memory Types, MTRRs*).
 * hostmap_load_cpu() loads the PAT with its power-on values and WC in entry 4:
 * WB is index 0, UC index 3, WC index 4, which is the PAT bit alone.
 */
#include "mm/pt_format.h"

static u64 pat_bits(u32 attrs, u32 level)
{
	if (attrs & PT_WC)
		return level == 1 ? PTE_PAT_4K : PTE_PAT_LARGE;
	return attrs & PT_UC ? PTE_PCD | PTE_PWT : 0;
}

static u32 pat_attrs(u64 entry, u32 level)
{
	if (entry & (level == 1 ? PTE_PAT_4K : PTE_PAT_LARGE))
		return PT_WC;
	return entry & PTE_PCD ? PT_UC : PT_WB;
}

/* Accessed and dirty are set in advance: the CPU never writes to a table */
static u64 common_leaf(u32 attrs, u32 level)
{
	u64 e = PTE_P | PTE_A | PTE_D | pat_bits(attrs, level);

	if (level > 1)
		e |= PTE_PS;
	if (attrs & PT_W)
		e |= PTE_W;
	if (!(attrs & PT_X))
		e |= PTE_NX;
	return e;
}

static u32 common_attrs(u64 entry, u32 level)
{
	u32 attrs = PT_R | pat_attrs(entry, level);

	if (entry & PTE_W)
		attrs |= PT_W;
	if (!(entry & PTE_NX))
		attrs |= PT_X;
	return attrs;
}

static u64 host_leaf(u32 attrs, u32 level)
{
	u64 e = common_leaf(attrs, level);

	if (attrs & PT_USER)
		e |= PTE_U;
	if (attrs & PT_GLOBAL)
		e |= PTE_G;
	return e;
}

static u32 host_attrs(u64 entry, u32 level)
{
	u32 attrs = common_attrs(entry, level);

	if (entry & PTE_U)
		attrs |= PT_USER;
	if (entry & PTE_G)
		attrs |= PT_GLOBAL;
	return attrs;
}

/* Every nested access counts as a user access (APM 2 15.25.5) */
static u64 npt_leaf(u32 attrs, u32 level)
{
	return common_leaf(attrs, level) | PTE_U;
}

/* The guest's PAT stays in force (IPAT clear): a device page may be WC for its
 * driver, and UC here overrides all but that (SDM 3C 29.3.7.2). */
static u64 ept_leaf(u32 attrs, u32 level)
{
	u64 e = EPTE_R;

	if (attrs & PT_W)
		e |= EPTE_W;
	if (attrs & PT_X)
		e |= EPTE_X;
	if (attrs & PT_WC)
		e |= EPTE_TYPE_WC;
	else
		e |= attrs & PT_UC ? EPTE_TYPE_UC : EPTE_TYPE_WB;
	return level > 1 ? e | EPTE_PS : e;
}

static u32 ept_attrs(u64 entry, u32 level)
{
	u32 attrs = PT_R;

	(void)level;
	if (entry & EPTE_W)
		attrs |= PT_W;
	if (entry & EPTE_X)
		attrs |= PT_X;
	if ((entry & EPTE_TYPE) == EPTE_TYPE_UC)
		attrs |= PT_UC;
	if ((entry & EPTE_TYPE) == EPTE_TYPE_WC)
		attrs |= PT_WC;
	return attrs;
}

const struct pt_format pt_host = {
	.name = "host",
	.present_mask = PTE_P,
	.table_bits = PTE_P | PTE_W | PTE_A,
	.leaf = host_leaf,
	.attrs = host_attrs,
};

const struct pt_format pt_npt = {
	.name = "NPT",
	.present_mask = PTE_P,
	.table_bits = PTE_P | PTE_W | PTE_U | PTE_A,
	.leaf = npt_leaf,
	.attrs = common_attrs,
};

const struct pt_format pt_ept = {
	.name = "EPT",
	.present_mask = EPTE_R | EPTE_W | EPTE_X,
	.table_bits = EPTE_R | EPTE_W | EPTE_X,
	.leaf = ept_leaf,
	.attrs = ept_attrs,
};
