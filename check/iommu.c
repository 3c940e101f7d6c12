/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOMMUs that DMAR and IVRS name, and whether they can be what the tables
 * say, see facts.h. Called by check/acpi.c, the loaders and
 * drivers/irq/iommu.c; no lock. */
#include "check/facts.h"
#include "include/hw/acpi.h"
#include "include/hw/vtd.h"
#include "lib/string.h"

#define SIGNATURE_BYTES 4u

/* --- where they are, by a table --- */

static bool dmar_units(const u8 *table, u32 size,
		       void (*unit)(void *ctx, bool intel, u64 base), void *ctx)
{
	u32 at = DMAR_ENTRIES_OFFSET;
	bool whole = size >= DMAR_ENTRIES_OFFSET;

	while (at + sizeof(struct dmar_entry) <= size) {
		struct dmar_entry e;
		struct dmar_drhd d;

		memcpy(&e, table + at, sizeof(e));
		if (e.length < sizeof(e) || e.length > size - at)
			return whole && mem_is_zero(table + at, size - at);
		if (e.type == DMAR_DRHD && e.length >= sizeof(d)) {
			memcpy(&d, table + at, sizeof(d));
			unit(ctx, true, d.base);
		} else if (e.type == DMAR_DRHD) {
			whole = false;
		}
		at += e.length;
	}
	return whole;
}

static bool is_ivhd(u8 type)
{
	return type == IVRS_IVHD10 || type == IVRS_IVHD11 ||
	       type == IVRS_IVHD40;
}

/* A unit has up to three blocks, of which each kernel takes one kind: the
 * first block at an address counts. They stand in any order. */
static bool ivhd_is_new(const u8 *table, u32 at, u64 base)
{
	u32 i = IVRS_ENTRIES_OFFSET;

	while (i < at) {
		struct ivrs_ivhd d;
		struct ivrs_entry e;

		memcpy(&e, table + i, sizeof(e));
		if (is_ivhd(e.type) && e.length >= sizeof(d)) {
			memcpy(&d, table + i, sizeof(d));
			if (d.base == base)
				return false;
		}
		i += e.length;
	}
	return true;
}

static bool ivrs_units(const u8 *table, u32 size,
		       void (*unit)(void *ctx, bool intel, u64 base), void *ctx)
{
	u32 at = IVRS_ENTRIES_OFFSET;
	bool whole = size >= IVRS_ENTRIES_OFFSET;

	while (at + sizeof(struct ivrs_entry) <= size) {
		struct ivrs_entry e;
		struct ivrs_ivhd d;

		memcpy(&e, table + at, sizeof(e));
		if (e.length < sizeof(e) || e.length > size - at)
			return whole && mem_is_zero(table + at, size - at);
		if (is_ivhd(e.type) && e.length >= sizeof(d)) {
			memcpy(&d, table + at, sizeof(d));
			if (ivhd_is_new(table, at, d.base))
				unit(ctx, false, d.base);
		} else if (is_ivhd(e.type)) {
			whole = false;
		}
		at += e.length;
	}
	return whole;
}

bool check_iommus(const void *table, u32 size,
		  void (*unit)(void *ctx, bool intel, u64 base), void *ctx)
{
	if (!memcmp(table, "DMAR", SIGNATURE_BYTES))
		return dmar_units(table, size, unit, ctx);
	if (!memcmp(table, "IVRS", SIGNATURE_BYTES))
		return ivrs_units(table, size, unit, ctx);
	return true;
}

/* --- whether they can be there --- */

const char *check_iommu_fault(bool intel, u64 base, u32 phys_bits)
{
	u64 bytes = intel ? PAGE_SIZE : AMD_IOMMU_BYTES;
	u64 end = phys_bits && phys_bits < 64 ? BIT(phys_bits) : ~0ull;

	if (!base)
		return "the table has no address for it";
	if (base % bytes)
		return "its address is not aligned";
	if (base >= end || bytes > end - base)
		return "its address is beyond the processor's";
	return NULL;
}

enum check_unit check_vtd(u32 version, u64 cap)
{
	if (version == ~0u && cap == ~0ull)
		return CHECK_UNIT_ABSENT;
	if (!(version & VTD_VER_MAJOR) || version & VTD_VER_RESERVED)
		return CHECK_UNIT_OTHER;
	return CHECK_UNIT_THERE;
}

enum check_unit check_amdvi(u64 control, u64 status)
{
	return control == ~0ull && status == ~0ull ? CHECK_UNIT_ABSENT
						   : CHECK_UNIT_THERE;
}
