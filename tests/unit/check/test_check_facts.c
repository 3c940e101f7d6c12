/* SOURCES: check/acpi.c check/facts.c check/hest.c check/iommu.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts from ACPI tables, good ones and hostile ones */
#include "check/facts.h"
#include "include/hw/acpi_hest.h"
#include "tests/unit/test.h"

static struct check_facts facts;

static u8 table[512];

static u32 begin(const char *signature)
{
	memset(table, 0, sizeof(table));
	memcpy(table, signature, 4);
	return sizeof(struct acpi_header);
}

static void end(u32 len)
{
	struct acpi_header *h = (void *)table;
	u8 sum = 0;

	h->length = len;
	h->checksum = 0;
	for (u32 i = 0; i < len; i++)
		sum = (u8)(sum + table[i]);
	h->checksum = (u8)-sum;
}

/* The table at the end of memory that the sanitizer watches */
static u32 take(u32 size)
{
	u8 *copy = malloc(size);
	u32 len;

	memcpy(copy, table, size);
	len = check_table(&facts, copy, size);
	free(copy);
	return len;
}

static void fresh(void)
{
	memset(&facts, 0, sizeof(facts));
	check_tables_begin(&facts);
}

static u32 add_entry(u32 at, const void *entry, u32 len)
{
	memcpy(table + at, entry, len);
	return at + len;
}

static u32 make_madt(void)
{
	const struct madt_lapic cores[] = {
		{ { MADT_LAPIC, 8 }, 0, 0, MADT_CPU_ENABLED },
		{ { MADT_LAPIC, 8 }, 1, 6, MADT_CPU_ENABLED },
		{ { MADT_LAPIC, 8 }, 2, 8, 0 },
		{ { MADT_LAPIC, 8 }, 3, 0xff, MADT_CPU_ENABLED },
	};
	const struct madt_x2apic big = {
		{ MADT_X2APIC, 16 }, 0, 0x204, MADT_CPU_ENABLED, 9
	};
	const struct madt_ioapic io = { { MADT_IOAPIC, 12 }, 1, 0, 0, 0 };
	u32 at = begin("APIC") + 8;

	at = add_entry(at, cores, sizeof(cores));
	at = add_entry(at, &big, sizeof(big));
	at = add_entry(at, &io, sizeof(io));
	return add_entry(at, &io, sizeof(io));
}

static void test_madt(void **state)
{
	u32 len = make_madt();

	end(len);
	fresh();
	assert_int_equal(take(len), len);
	check_tables_end(&facts);
	assert_int_equal(facts.value[FACT_CORES], 3);
	assert_int_equal(facts.value[FACT_APIC_ID_MAX], 0x204);
	assert_int_equal(facts.value[FACT_IOAPICS], 2);
	assert_int_equal(facts.value[FACT_BAD_SUMS], 0);
	assert_true(check_is(&facts, FACT_ACPI));
	/* A second one is told, and not counted in */
	take(len);
	assert_int_equal(facts.value[FACT_CORES], 3);
}

/* Every length that the table and its entries may claim, all read in bounds */
static void test_hostile(void **state)
{
	u32 len = make_madt();

	for (u32 claim = 0; claim < 600; claim++) {
		end(len);
		((struct acpi_header *)table)->length = claim;
		fresh();
		take(len);
	}
	for (u32 entry = 0; entry < 256; entry++) {
		table[44 + 1] = (u8)entry;
		end(len);
		fresh();
		take(len);
	}
	fresh();
	end(len);
	((struct acpi_header *)table)->length = len + 1;
	assert_int_equal(take(len), sizeof(struct acpi_header));
	assert_string_equal(facts.string[CHECK_BAD_TABLES], "APIC");
	assert_int_equal(facts.value[FACT_CORES], 0);
}

static void test_bad_sums(void **state)
{
	fresh();
	for (u32 i = 0; i < 30; i++) {
		begin(i ? "SSDT" : "\1\"x ");
		end(sizeof(struct acpi_header));
		table[9]++;
		take(sizeof(struct acpi_header));
	}
	assert_int_equal(facts.value[FACT_BAD_SUMS], 30);
	assert_int_equal(
		strncmp(facts.string[CHECK_BAD_TABLES], "?\"x? SSDT SSDT", 14),
		0);
	/* The FACS has no sum */
	fresh();
	begin("FACS");
	((struct acpi_header *)table)->length = 64;
	take(64);
	assert_int_equal(facts.value[FACT_BAD_SUMS], 0);
}

/* One whose bytes say neither what it is nor how long: it may be any */
static void test_unread(void **state)
{
	static const struct acpi_header blank;

	fresh();
	memcpy(table, &blank, sizeof(blank));
	assert_int_equal(take(sizeof(blank)), sizeof(blank));
	assert_int_equal(facts.value[FACT_TABLES_UNREAD], 1);
	assert_int_equal(facts.value[FACT_BAD_SUMS], 0);
	memcpy(table, "BERT", 4);
	take(sizeof(blank));
	assert_int_equal(facts.value[FACT_TABLES_UNREAD], 1);
	assert_int_equal(facts.value[FACT_BAD_SUMS], 1);
}

static void test_mcfg(void **state)
{
	u32 at = begin("MCFG") + 8;

	for (u16 i = 0; i < 4; i++) {
		const struct mcfg_entry e = { .base = 0xe0000000,
					      .segment = i / 2 };

		at = add_entry(at, &e, sizeof(e));
	}
	end(at);
	fresh();
	take(at);
	assert_int_equal(facts.value[FACT_SEGMENTS], 2);
}

static void test_hest(void **state)
{
	const struct hest_corrected source = { .type = HEST_CORRECTED,
					       .flags = HEST_FIRMWARE_FIRST,
					       .banks = 2 };
	struct hest_bank bank = { .number = 5 };
	u32 at = begin("HEST") + 4;

	at = add_entry(at, &source, sizeof(source));
	at = add_entry(at, &bank, sizeof(bank));
	bank.number = 6;
	at = add_entry(at, &bank, sizeof(bank));
	((struct acpi_hest *)table)->count = 1;
	end(at);
	fresh();
	assert_true(check_not(&facts, FACT_FIRMWARE_BANKS));
	take(at);
	take(at); /* the first counts */
	assert_int_equal(facts.value[FACT_HEST], 1);
	assert_int_equal(facts.value[FACT_FIRMWARE_BANKS], 2);
}

static u64 units[8];
static u32 unit_count;

static void unit_note(void *ctx, const struct check_iommu *u)
{
	assert_true(u->amd != *(bool *)ctx);
	units[unit_count++] = u->base;
}

static void test_iommus(void **state)
{
	struct dmar_drhd drhd = { { DMAR_DRHD, 16 }, 0, 0, 0, 0xfed90000 };
	const struct ivrs_ivhd d10 = {
		{ IVRS_IVHD10, 0, 24 }, 0, 0, 0xfeb80000, 0, 0, 0
	};
	struct ivrs_ivhd11 d11 = {
		{ { IVRS_IVHD11, 0, 40 }, 0, 0, 0xfeb80000, 0, 0, 0 }, 0, 0
	};
	bool intel = true;
	u32 at = begin("DMAR") + 12;

	at = add_entry(at, &drhd, sizeof(drhd));
	at = add_entry(at, &drhd, sizeof(drhd));
	drhd.base = 0xfed91000;
	at = add_entry(at, &drhd, sizeof(drhd));
	end(at);
	fresh();
	take(at);
	assert_int_equal(facts.value[FACT_IOMMUS], 2);
	check_iommus(table, at, unit_note, &intel);
	assert_int_equal(unit_count, 3);
	assert_int_equal(units[0], 0xfed90000);
	/* A unit with two blocks is one unit */
	at = begin("IVRS") + 12;
	at = add_entry(at, &d10, sizeof(d10));
	at = add_entry(at, &d11, sizeof(d11));
	d11.ivhd.base = 0xf1000000;
	at = add_entry(at, &d11, sizeof(d11));
	end(at);
	fresh();
	take(at);
	assert_int_equal(facts.value[FACT_IOMMUS], 2);
	assert_int_equal(facts.value[FACT_IOMMUS_WRONG], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_madt),     cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_bad_sums), cmocka_unit_test(test_unread),
		cmocka_unit_test(test_mcfg),     cmocka_unit_test(test_iommus),
		cmocka_unit_test(test_hest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
