/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOMMUs that DMAR and IVRS name, and whether they can be what the tables
 * say, see facts.h. Called by check/acpi.c, the loaders,
 * drivers/acpi/parse_iommu.c and drivers/irq/iommu.c; no lock. */
#include "check/facts.h"
#include "include/hw/acpi.h"
#include "include/hw/vtd.h"
#include "lib/string.h"

#define SIGNATURE_BYTES 4u
#define SEEN_MAX        256u /* that are told apart; ACPI_MAX_IOMMUS */

/* --- where they are, by a table --- */

/* What an entry of a table is */
enum entry { ENTRY_OTHER, ENTRY_SHORT, ENTRY_UNIT };

/* Both tables have an entry's length where DMAR has it */
static_assert(offsetof(struct dmar_entry, length) ==
		      offsetof(struct ivrs_entry, length),
	      "entries");
static_assert(sizeof(struct dmar_entry) == sizeof(struct ivrs_entry),
	      "entries");

/* @length bytes of an entry are at @p; @u is all zero */
static enum entry dmar_unit(const u8 *p, u32 length, struct check_iommu *u)
{
	struct dmar_drhd e;

	memcpy(&e.entry, p, sizeof(e.entry));
	if (e.entry.type != DMAR_DRHD)
		return ENTRY_OTHER;
	if (length < sizeof(e))
		return ENTRY_SHORT;
	memcpy(&e, p, sizeof(e));
	u->base = e.base;
	u->size = PAGE_SIZE << (e.size & DRHD_SIZE_MASK);
	return ENTRY_UNIT;
}

static u64 ivhd_bytes(const struct ivrs_ivhd11 *e)
{
	bool counters = e->ivhd.entry.type == IVRS_IVHD10
				? e->ivhd.features & IVHD_FEATURES_BANKS
				: e->efr & IVHD_EFR_PC;

	return counters ? AMD_IOMMU_PC_BYTES : AMD_IOMMU_BYTES;
}

static enum entry ivrs_unit(const u8 *p, u32 length, struct check_iommu *u)
{
	struct ivrs_ivhd11 e = { 0 };
	u8 type = p[0];

	if (type != IVRS_IVHD10 && type != IVRS_IVHD11 && type != IVRS_IVHD40)
		return ENTRY_OTHER;
	if (length < sizeof(e.ivhd))
		return ENTRY_SHORT;
	memcpy(&e, p, MIN((size_t)length, sizeof(e)));
	u->amd = true;
	u->base = e.ivhd.base;
	u->size = ivhd_bytes(&e);
	return ENTRY_UNIT;
}

struct kind {
	char signature[5];
	u32 entries; /* where the first one is */
	enum entry (*unit)(const u8 *p, u32 length, struct check_iommu *u);
};
static const struct kind kinds[] = {
	{ "DMAR", DMAR_ENTRIES_OFFSET, dmar_unit },
	{ "IVRS", IVRS_ENTRIES_OFFSET, ivrs_unit },
};

/* The addresses that a table has named */
struct seen {
	u64 base[SEEN_MAX];
	u32 count;
};

static bool seen_before(struct seen *s, u64 base)
{
	for (u32 i = 0; i < s->count; i++)
		if (s->base[i] == base)
			return true;
	if (s->count < SEEN_MAX)
		s->base[s->count++] = base;
	return false;
}

static struct check_unread walk(const struct kind *kind, const u8 *table,
				u32 size, check_iommu_taker *take, void *ctx)
{
	struct check_unread unread = { 0 };
	struct seen seen = { .count = 0 };
	struct dmar_entry e;

	if (size < kind->entries)
		unread.cut = size;
	for (u32 at = kind->entries; at + sizeof(e) <= size; at += e.length) {
		struct check_iommu u = { 0 };
		enum entry what;

		memcpy(&e, table + at, sizeof(e));
		if (e.length < sizeof(e) || e.length > size - at) {
			if (!mem_is_zero(table + at, size - at))
				unread.cut = at;
			break;
		}
		what = kind->unit(table + at, e.length, &u);
		if (what == ENTRY_SHORT && !unread.brief)
			unread.brief = at;
		if (what != ENTRY_UNIT)
			continue;
		u.again = seen_before(&seen, u.base);
		take(ctx, &u);
	}
	return unread;
}

struct check_unread check_iommus(const void *table, u32 size,
				 check_iommu_taker *take, void *ctx)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!memcmp(table, kinds[i].signature, SIGNATURE_BYTES))
			return walk(&kinds[i], table, size, take, ctx);
	return (struct check_unread){ 0 };
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
