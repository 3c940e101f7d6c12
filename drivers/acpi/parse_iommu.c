/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the IOMMUs' registers are, by the tables DMAR and IVRS, see parse.h. No
 * driver uses them yet; the addresses are for who turns them off and keeps
 * guests away. What of a table cannot be read is an IOMMU that may be on
 * (acpi.iommu_unread). Called by acpi.c at boot, by the rules of parse.c; no
 * lock.
 */
#include "drivers/acpi/parse.h"

#include "lib/log.h"
#include "lib/string.h"

/* Whatever its address is: iommu.c judges it */
static void iommu_add(struct acpi_facts *f, u64 base, u64 size, bool amd)
{
	/* IVRS describes each one in every format that software may know */
	for (u32 i = 0; i < f->iommu_count; i++) {
		if (f->iommus[i].base != base)
			continue;
		f->iommus[i].size = MAX(f->iommus[i].size, size);
		return;
	}
	if (acpi_list_full(f, LIST_IOMMUS, f->iommu_count)) {
		f->iommu_unread = amd ? "IVRS" : "DMAR";
		return;
	}
	f->iommus[f->iommu_count++] =
		(struct acpi_iommu){ .base = base, .size = size, .amd = amd };
}

static void report_cut(struct acpi_facts *f, const char *table, u32 at)
{
	f->iommu_unread = table;
	log_warn("acpi",
		 "the table %s is cut at byte %u: what comes after is not read",
		 table, at);
}

/* The first one */
static void report_short(struct acpi_facts *f, const char *table, u32 at)
{
	if (f->iommu_unread)
		return;
	f->iommu_unread = table;
	log_warn("acpi",
		 "the table %s has an IOMMU at byte %u whose entry is too "
		 "short to be read",
		 table, at);
}

/* Zeroes up to the end are padding, as firmware leaves it */
void acpi_parse_dmar(struct acpi_facts *f, const struct acpi_header *t)
{
	const u8 *p = (const u8 *)t;
	u32 at = DMAR_ENTRIES_OFFSET;
	struct dmar_drhd e;

	if (t->length < DMAR_ENTRIES_OFFSET) {
		report_cut(f, "DMAR", t->length);
		return;
	}
	f->dma_opt_in = p[DMAR_FLAGS_OFFSET] & DMAR_DMA_OPT_IN;
	while (at + sizeof(e.entry) <= t->length) {
		memcpy(&e.entry, p + at, sizeof(e.entry));
		if (e.entry.length < sizeof(e.entry) ||
		    e.entry.length > t->length - at) {
			if (!mem_is_zero(p + at, t->length - at))
				report_cut(f, "DMAR", at);
			return;
		}
		if (e.entry.type == DMAR_DRHD && e.entry.length < sizeof(e)) {
			report_short(f, "DMAR", at);
		} else if (e.entry.type == DMAR_DRHD) {
			memcpy(&e, p + at, sizeof(e));
			iommu_add(f, e.base,
				  PAGE_SIZE << (e.size & DRHD_SIZE_MASK),
				  false);
		}
		at += e.entry.length;
	}
}

static u64 ivhd_bytes(const struct ivrs_ivhd11 *e)
{
	bool counters = e->ivhd.entry.type == IVRS_IVHD10
				? e->ivhd.features & IVHD_FEATURES_BANKS
				: e->efr & IVHD_EFR_PC;

	return counters ? AMD_IOMMU_PC_BYTES : AMD_IOMMU_BYTES;
}

static bool is_ivhd(u8 type)
{
	return type == IVRS_IVHD10 || type == IVRS_IVHD11 ||
	       type == IVRS_IVHD40;
}

void acpi_parse_ivrs(struct acpi_facts *f, const struct acpi_header *t)
{
	const u8 *p = (const u8 *)t;
	u32 at = IVRS_ENTRIES_OFFSET;
	struct ivrs_ivhd11 e;

	if (t->length < IVRS_ENTRIES_OFFSET) {
		report_cut(f, "IVRS", t->length);
		return;
	}
	while (at + sizeof(e.ivhd.entry) <= t->length) {
		struct ivrs_entry *entry = &e.ivhd.entry;

		memset(&e, 0, sizeof(e));
		memcpy(entry, p + at, sizeof(*entry));
		if (entry->length < sizeof(*entry) ||
		    entry->length > t->length - at) {
			if (!mem_is_zero(p + at, t->length - at))
				report_cut(f, "IVRS", at);
			return;
		}
		if (is_ivhd(entry->type) && entry->length < sizeof(e.ivhd)) {
			report_short(f, "IVRS", at);
		} else if (is_ivhd(entry->type)) {
			memcpy(&e, p + at,
			       MIN((size_t)entry->length, sizeof(e)));
			iommu_add(f, e.ivhd.base, ivhd_bytes(&e), true);
		}
		at += entry->length;
	}
}
