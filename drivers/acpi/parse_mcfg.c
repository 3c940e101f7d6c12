/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ranges of configuration space in memory, by the table MCFG (PCI Firmware
 * 3.2, 4.1.2 *MCFG Table Description*), see parse.h. Firmware lists a range
 * twice, or by halves that overlap: what says the same becomes one range. Two
 * ranges that put different functions at one address, or one function at two,
 * cannot both be right. The first is used, as Linux does; the other is kept
 * from guests all the same, as it may be the one that the hardware decodes.
 * Called by acpi.c at boot, by the rules of parse.c; no lock.
 */
#include "drivers/acpi/parse.h"

#include "include/hw/pci.h"
#include "lib/log.h"
#include "lib/string.h"

#define PHYS_END BIT(52)

static u64 first_byte(const struct acpi_ecam *e)
{
	return e->base + e->bus_first * PCI_ECAM_BUS_BYTES;
}

static u64 end_byte(const struct acpi_ecam *e)
{
	return e->base + (e->bus_last + 1u) * PCI_ECAM_BUS_BYTES;
}

static bool share_memory(const struct acpi_ecam *a, const struct acpi_ecam *b)
{
	return first_byte(a) < end_byte(b) && first_byte(b) < end_byte(a);
}

static bool share_buses(const struct acpi_ecam *a, const struct acpi_ecam *b)
{
	return a->segment == b->segment && a->bus_first <= b->bus_last &&
	       b->bus_first <= a->bus_last;
}

/* Do both say the same of the buses that they share? */
static bool agree(const struct acpi_ecam *a, const struct acpi_ecam *b)
{
	return a->base == b->base && share_buses(a, b);
}

static bool contradicts(const struct acpi_facts *f, const struct acpi_ecam *e)
{
	for (u32 i = 0; i < f->ecam_count; i++) {
		const struct acpi_ecam *old = &f->ecam[i];

		if (!old->unused && !agree(e, old) &&
		    (share_memory(e, old) || share_buses(e, old)))
			return true;
	}
	return false;
}

/* Put together what agrees with *@e, which takes its place */
static void take_in(struct acpi_facts *f, struct acpi_ecam *e)
{
	u32 kept = 0;

	for (u32 i = 0; i < f->ecam_count; i++) {
		const struct acpi_ecam *old = &f->ecam[i];

		if (old->unused || !agree(e, old)) {
			f->ecam[kept++] = *old;
			continue;
		}
		e->bus_first = MIN(e->bus_first, old->bus_first);
		e->bus_last = MAX(e->bus_last, old->bus_last);
	}
	f->ecam_count = kept;
}

static void ecam_add(struct acpi_facts *f, struct acpi_ecam e, u32 at)
{
	e.unused = contradicts(f, &e);
	if (e.unused)
		log_warn("acpi",
			 "MCFG entry at byte %u contradicts an earlier one "
			 "and is not used; a firmware update may cure it",
			 at);
	else
		take_in(f, &e);
	if (!acpi_list_full(f, LIST_ECAM, f->ecam_count))
		f->ecam[f->ecam_count++] = e;
}

static bool makes_sense(const struct mcfg_entry *e)
{
	return e->base && IS_ALIGNED(e->base, PCI_ECAM_BUS_BYTES) &&
	       e->bus_first <= e->bus_last &&
	       e->base <= PHYS_END - PCI_BUSES * PCI_ECAM_BUS_BYTES;
}

void acpi_parse_mcfg(struct acpi_facts *f, const struct acpi_header *t)
{
	const u8 *p = (const u8 *)t;
	struct mcfg_entry e;
	bool told = false;

	for (u32 at = MCFG_ENTRIES_OFFSET; at + sizeof(e) <= t->length;
	     at += sizeof(e)) {
		memcpy(&e, p + at, sizeof(e));
		if (!makes_sense(&e)) {
			if (!told)
				log_warn("acpi",
					 "MCFG entry at byte %u makes no sense "
					 "and is left out",
					 at);
			told = true;
			continue;
		}
		if (f->full & 1u << LIST_ECAM)
			return;
		ecam_add(f,
			 (struct acpi_ecam){ .base = e.base,
					     .segment = e.segment,
					     .bus_first = e.bus_first,
					     .bus_last = e.bus_last },
			 at);
	}
}
