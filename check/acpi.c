/* SPDX-License-Identifier: BSD-2-Clause */
/* What ACPI tables say, see facts.h. They are not to be trusted: each entry is
 * held to the length of its table, and copied out, because it has any
 * alignment. Called by the loaders and tools/bh-judge.c; no lock. */
#include "include/hw/acpi.h"
#include "check/facts.h"
#include "lib/string.h"

#define SIGNATURE_BYTES 4u
#define SEGMENTS_MAX    64u /* MCFG's that are told apart */

void check_tables_begin(struct check_facts *f)
{
	static const enum check_fact counted[] = {
		FACT_ACPI,           FACT_TABLES, FACT_BAD_SUMS,
		FACT_TABLES_UNREAD,  FACT_MADT,   FACT_FADT,
		FACT_MCFG,           FACT_HPET,   FACT_HEST,
		FACT_TPM2,           FACT_SPCR,   FACT_DBG2,
		FACT_IOAPICS,        FACT_CORES,  FACT_SEGMENTS,
		FACT_REDUCED,        FACT_IOMMUS, FACT_IOMMUS_WRONG,
		FACT_FIRMWARE_BANKS,
	};

	for (u32 i = 0; i < ARRAY_SIZE(counted); i++)
		check_set(f, counted[i], 0);
	f->string[CHECK_BAD_TABLES][0] = '\0';
}

void check_tables_end(struct check_facts *f)
{
	if (!check_is(f, FACT_TABLES))
		return;
	check_set(f, FACT_ACPI, 1);
	/* Without an MADT its cores are not known to be none */
	if (!f->value[FACT_CORES])
		f->known[FACT_CORES] = 0;
}

static void note_bad(struct check_facts *f, const struct acpi_header *h)
{
	char *list = f->string[CHECK_BAD_TABLES];
	size_t len = strlen(list);

	check_add(f, FACT_BAD_SUMS, 1);
	if (len + SIGNATURE_BYTES + 2 > CHECK_STRING_BYTES)
		return;
	if (len)
		list[len++] = ' ';
	for (u32 i = 0; i < SIGNATURE_BYTES; i++) {
		char c = h->signature[i];

		list[len++] = c > ' ' && c <= '~' ? c : '?';
	}
	list[len] = '\0';
}

static void note_core(struct check_facts *f, u32 apic_id, u32 flags)
{
	if (!(flags & MADT_CPU_ENABLED))
		return;
	check_add(f, FACT_CORES, 1);
	if (!f->known[FACT_APIC_ID_MAX] || apic_id > f->value[FACT_APIC_ID_MAX])
		check_set(f, FACT_APIC_ID_MAX, apic_id);
}

/* @len bytes of an entry */
static void madt_entry(struct check_facts *f, const u8 *p, u32 len)
{
	struct madt_lapic lapic;
	struct madt_x2apic x2apic;

	if (p[0] == MADT_LAPIC && len >= sizeof(lapic)) {
		memcpy(&lapic, p, sizeof(lapic));
		if (lapic.apic_id != MADT_ALL_CPUS)
			note_core(f, lapic.apic_id, lapic.flags);
	} else if (p[0] == MADT_X2APIC && len >= sizeof(x2apic)) {
		memcpy(&x2apic, p, sizeof(x2apic));
		if (x2apic.apic_id != MADT_ALL_X2APICS)
			note_core(f, x2apic.apic_id, x2apic.flags);
	} else if (p[0] == MADT_IOAPIC && len >= sizeof(struct madt_ioapic)) {
		check_add(f, FACT_IOAPICS, 1);
	}
}

static void take_madt(struct check_facts *f, const u8 *table, u32 size)
{
	u32 at = sizeof(struct acpi_madt);

	check_add(f, FACT_MADT, 1);
	if (f->value[FACT_MADT] > 1)
		return;
	while (at + sizeof(struct madt_entry) <= size) {
		u32 len = table[at + 1];

		if (len < sizeof(struct madt_entry) || len > size - at)
			return;
		madt_entry(f, table + at, len);
		at += len;
	}
}

static void take_mcfg(struct check_facts *f, const u8 *table, u32 size)
{
	u16 seen[SEGMENTS_MAX];
	u32 count = 0, at = MCFG_ENTRIES_OFFSET;

	check_add(f, FACT_MCFG, 1);
	for (; at + sizeof(struct mcfg_entry) <= size && count < SEGMENTS_MAX;
	     at += sizeof(struct mcfg_entry)) {
		struct mcfg_entry e;
		u32 i;

		memcpy(&e, table + at, sizeof(e));
		for (i = 0; i < count && seen[i] != e.segment; i++)
			;
		if (i == count)
			seen[count++] = e.segment;
	}
	check_set(f, FACT_SEGMENTS, count);
}

static void take_fadt(struct check_facts *f, const u8 *table, u32 size)
{
	u32 flags = 0;

	check_add(f, FACT_FADT, 1);
	if (size < offsetof(struct acpi_fadt, flags) + sizeof(flags))
		return;
	memcpy(&flags, table + offsetof(struct acpi_fadt, flags),
	       sizeof(flags));
	check_set(f, FACT_REDUCED, (flags & FADT_HW_REDUCED) != 0);
}

static void count_unit(void *ctx, const struct check_iommu *u)
{
	struct check_facts *f = ctx;
	u32 bits = (u32)f->value[FACT_PHYS_BITS];

	if (u->again || !u->base)
		return;
	check_add(f, FACT_IOMMUS, 1);
	if (check_iommu_fault(!u->amd, u->base, bits))
		check_add(f, FACT_IOMMUS_WRONG, 1);
}

static void take_iommus(struct check_facts *f, const u8 *table, u32 size)
{
	struct check_unread unread = check_iommus(table, size, count_unit, f);

	if (unread.cut || unread.brief)
		check_add(f, FACT_IOMMUS_WRONG, 1);
}

static void take_hpet(struct check_facts *f, const u8 *table, u32 size)
{
	check_set(f, FACT_HPET, 1);
}

static void take_hest(struct check_facts *f, const u8 *table, u32 size)
{
	u64 banks;

	if (check_is(f, FACT_HEST))
		return;
	check_set(f, FACT_HEST, 1);
	(void)check_hest(table, size, &banks);
	for (; banks; banks &= banks - 1)
		check_add(f, FACT_FIRMWARE_BANKS, 1);
}

static void take_tpm2(struct check_facts *f, const u8 *table, u32 size)
{
	check_set(f, FACT_TPM2, 1);
}

static void take_spcr(struct check_facts *f, const u8 *table, u32 size)
{
	check_set(f, FACT_SPCR, 1);
}

static void take_dbg2(struct check_facts *f, const u8 *table, u32 size)
{
	check_set(f, FACT_DBG2, 1);
}

static const struct {
	char signature[SIGNATURE_BYTES + 1];
	void (*take)(struct check_facts *f, const u8 *table, u32 size);
} takers[] = {
	{ "APIC", take_madt },   { "FACP", take_fadt },   { "MCFG", take_mcfg },
	{ "DMAR", take_iommus }, { "IVRS", take_iommus }, { "HPET", take_hpet },
	{ "HEST", take_hest },   { "TPM2", take_tpm2 },   { "SPCR", take_spcr },
	{ "DBG2", take_dbg2 },
};

u32 check_table(struct check_facts *f, const void *table, u32 size)
{
	struct acpi_header h;

	memcpy(&h, table, sizeof(h));
	check_add(f, FACT_TABLES, 1);
	/* It has no sum */
	if (!memcmp(h.signature, "FACS", SIGNATURE_BYTES))
		return MIN(h.length, size);
	if (h.length < sizeof(h) || h.length > size) {
		if (!check_is_signature(h.signature)) {
			check_add(f, FACT_TABLES_UNREAD, 1);
			return sizeof(h);
		}
		note_bad(f, &h);
		if (!memcmp(h.signature, "DMAR", SIGNATURE_BYTES) ||
		    !memcmp(h.signature, "IVRS", SIGNATURE_BYTES))
			check_add(f, FACT_IOMMUS_WRONG, 1);
		return sizeof(h);
	}
	/* One that does not add up is used all the same, as by the hypervisor
	 * (drivers/acpi/acpi.h) */
	if (!check_adds_up(table, h.length))
		note_bad(f, &h);
	for (u32 i = 0; i < ARRAY_SIZE(takers); i++)
		if (!memcmp(h.signature, takers[i].signature, SIGNATURE_BYTES))
			takers[i].take(f, table, h.length);
	return h.length;
}
