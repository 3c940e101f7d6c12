/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three rows of pt_format.h, for mm/pt.c. Constant; no lock.
 *
 * Host and NPT leaves name their memory type by PAT index. An NPT's index is
 * looked up in the host's PAT (APM 2 15.25.8 *Combining Memory Types, MTRRs*),
 * which is HOST_PAT on every core (include/hw/cpu.h).
 */
#include "mm/pt_format.h"

#include "arch/x86/cpu/features.h"

static u64 type_bits(u32 attrs)
{
	if (attrs & PT_WC)
		return HOST_PTE_WC;
	return attrs & PT_UC ? HOST_PTE_UC : HOST_PTE_WB;
}

static u32 type_attrs(u64 entry)
{
	u64 bits = entry & (PTE_PCD | PTE_PWT);

	if (bits == HOST_PTE_WB)
		return PT_WB;
	return bits == HOST_PTE_WC ? PT_WC : PT_UC;
}

/* Accessed and dirty are set in advance: the CPU never writes to a table. What
 * cannot be written to is not dirty, or it would be a shadow stack. */
static u64 common_leaf(u32 attrs, u32 level)
{
	u64 e = PTE_P | PTE_A | type_bits(attrs);

	if (level > 1)
		e |= PTE_PS;
	if (attrs & PT_W)
		e |= PTE_W | PTE_D;
	/* Reserved on a CPU without it, and in an NPT as in the host's tables
	 * (APM 2 15.25.5 *Nested Table Walk*) */
	if (!(attrs & PT_X) && cpu_features.nx)
		e |= PTE_NX;
	return e;
}

static u32 common_attrs(u64 entry)
{
	u32 attrs = PT_R | type_attrs(entry);

	if (entry & PTE_W)
		attrs |= PT_W;
	if (!(entry & PTE_NX))
		attrs |= PT_X;
	return attrs;
}

static u64 host_leaf(u32 attrs, u32 level)
{
	u64 e = common_leaf(attrs, level);

	if (attrs & PT_GLOBAL)
		e |= PTE_G;
	if (attrs & PT_SHADOW)
		e |= PTE_D;
	return e;
}

static u32 host_attrs(u64 entry)
{
	u32 attrs = common_attrs(entry);

	if (entry & PTE_G)
		attrs |= PT_GLOBAL;
	if ((entry & (PTE_W | PTE_D)) == PTE_D)
		attrs |= PT_SHADOW;
	return attrs;
}

/* Every nested access counts as a user access (APM 2 15.25.5 *Nested Table
 * Walk*) */
static u64 npt_leaf(u32 attrs, u32 level)
{
	return common_leaf(attrs, level) | PTE_U;
}

/*
 * IPAT is clear, so that the guest's PAT stays in force. UC here overrides all
 * of it but WC, which a driver may want for its device's pages (SDM 3C 29.3.7.2
 * *Memory Type Used for Translated Guest-Physical Addresses*).
 */
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

static u32 ept_attrs(u64 entry)
{
	u32 attrs = PT_R;

	if (entry & EPTE_W)
		attrs |= PT_W;
	if (entry & (EPTE_X | EPTE_IGNORED))
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
	.mtrrs_apply = true,
	.leaf = host_leaf,
	.attrs = host_attrs,
};

const struct pt_format pt_npt = {
	.name = "NPT",
	.present_mask = PTE_P,
	.table_bits = PTE_P | PTE_W | PTE_U | PTE_A,
	.mtrrs_apply = true,
	.leaf = npt_leaf,
	.attrs = common_attrs,
};

const struct pt_format pt_ept = {
	.name = "EPT",
	.present_mask = EPTE_R | EPTE_W | EPTE_X,
	.table_bits = EPTE_R | EPTE_W | EPTE_X,
	.exec_later = EPTE_IGNORED,
	.leaf = ept_leaf,
	.attrs = ept_attrs,
};
