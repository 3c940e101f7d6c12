/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the IOMMUs' registers are, by the tables DMAR and IVRS, see parse.h. No
 * driver uses them yet; the addresses are for who turns them off and keeps
 * guests away. What of a table cannot be read is an IOMMU that may be on
 * (acpi.iommu_unread). The tables are walked by check/iommu.c. Called by acpi.c
 * at boot, by the rules of parse.c; no lock.
 */
#include "check/facts.h"
#include "drivers/acpi/parse.h"
#include "lib/log.h"
#include "lib/string.h"

static const char *table_name(bool amd)
{
	return amd ? "IVRS" : "DMAR";
}

/* Whatever its address is: iommu.c judges it */
static void iommu_add(void *ctx, const struct check_iommu *u)
{
	struct acpi_facts *f = ctx;

	/* The formats of IVRS do not tell the same size */
	for (u32 i = 0; i < f->iommu_count; i++) {
		if (f->iommus[i].base != u->base)
			continue;
		f->iommus[i].size = MAX(f->iommus[i].size, u->size);
		return;
	}
	if (acpi_list_full(f, LIST_IOMMUS, f->iommu_count)) {
		f->iommu_unread = table_name(u->amd);
		return;
	}
	f->iommus[f->iommu_count++] = (struct acpi_iommu){ .base = u->base,
							   .size = u->size,
							   .amd = u->amd };
}

static void report_unread(struct acpi_facts *f, const char *table,
			  const struct check_unread *unread)
{
	f->iommu_unread = table;
	if (unread->brief)
		log_warn("acpi",
			 "the table %s has an IOMMU at byte %u whose entry is "
			 "too short to be read",
			 table, unread->brief);
	if (unread->cut)
		log_warn("acpi",
			 "the table %s is cut at byte %u: what comes after is "
			 "not read",
			 table, unread->cut);
}

void acpi_parse_iommus(struct acpi_facts *f, const struct acpi_header *t)
{
	bool dmar = !memcmp(t->signature, "DMAR", 4);
	struct check_unread unread = check_iommus(t, t->length, iommu_add, f);

	if (unread.cut || unread.brief)
		report_unread(f, table_name(!dmar), &unread);
	if (dmar && t->length >= DMAR_ENTRIES_OFFSET)
		f->dma_opt_in =
			((const u8 *)t)[DMAR_FLAGS_OFFSET] & DMAR_DMA_OPT_IN;
}
