/* SOURCES: check/acpi.c check/hest.c check/iommu.c check/facts.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which IOMMUs cannot be what DMAR and IVRS say: each is one that the
 * hypervisor does not look at either */
#include "check/facts.h"
#include "include/hw/acpi.h"
#include "tests/unit/test.h"

static struct check_facts facts;

/* How many are wrong in a table of @size bytes with the one @entry */
static u64 wrong(const char *signature, u32 entries, const void *entry,
		 u32 size)
{
	u8 *table = calloc(1, entries + size);
	struct acpi_header *h = (void *)table;

	memcpy(h->signature, signature, 4);
	h->length = entries + size;
	if (size)
		memcpy(table + entries, entry, size);
	memset(&facts, 0, sizeof(facts));
	check_tables_begin(&facts);
	check_set(&facts, FACT_PHYS_BITS, 39);
	check_table(&facts, table, h->length);
	free(table);
	return facts.value[FACT_IOMMUS_WRONG];
}

static u64 dmar(u64 base, u8 length)
{
	const struct dmar_drhd e = { { DMAR_DRHD, length }, 0, 0, 0, base };

	return wrong("DMAR", DMAR_ENTRIES_OFFSET, &e, sizeof(e));
}

static u64 ivrs(u64 base, u8 length)
{
	const struct ivrs_ivhd e = {
		{ IVRS_IVHD10, 0, length }, 0, 0, base, 0, 0, 0
	};

	return wrong("IVRS", IVRS_ENTRIES_OFFSET, &e, sizeof(e));
}

static void test_addresses(void **state)
{
	static const u64 bases[] = { 0xfed90800, 1ull << 39, ~0xfffull };

	assert_int_equal(dmar(0xfed90000, 16), 0);
	assert_int_equal(ivrs(0xfeb80000, 24), 0);
	for (u32 i = 0; i < ARRAY_SIZE(bases); i++) {
		assert_int_equal(dmar(bases[i], 16), 1);
		assert_int_equal(ivrs(bases[i], 24), 1);
		assert_int_equal(facts.value[FACT_IOMMUS], 1);
	}
	/* Switched off: none, and nowhere to look */
	assert_int_equal(dmar(0, 16), 0);
	assert_int_equal(facts.value[FACT_IOMMUS], 0);
	assert_int_equal(ivrs(0, 24), 0);
	assert_int_equal(facts.value[FACT_IOMMUS], 0);
	assert_non_null(check_iommu_fault(true, 0, 39));
	/* AMD's are larger */
	assert_int_equal(dmar(0xfeb81000, 16), 0);
	assert_int_equal(ivrs(0xfeb81000, 24), 1);
	/* The processor did not say */
	assert_null(check_iommu_fault(true, 1ull << 39, 0));
}

/* Cut, or with no address in it */
static void test_tables(void **state)
{
	static const u8 lengths[] = { 0, 3, 8, 200 };

	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
		assert_int_equal(dmar(0xfed90000, lengths[i]), 1);
		assert_int_equal(ivrs(0xfeb80000, lengths[i]), 1);
		assert_int_equal(facts.value[FACT_IOMMUS], 0);
	}
	assert_int_equal(wrong("DMAR", sizeof(struct acpi_header), "", 0), 1);
	assert_int_equal(wrong("IVRS", sizeof(struct acpi_header), "", 0), 1);
	assert_int_equal(wrong("DMAR", DMAR_ENTRIES_OFFSET, "", 0), 0);
	/* Padding */
	assert_int_equal(wrong("DMAR", DMAR_ENTRIES_OFFSET, "\0\0\0\0\0", 5),
			 0);
	assert_int_equal(wrong("IVRS", IVRS_ENTRIES_OFFSET, "\0\0\0\0\0", 5),
			 0);
}

static void test_registers(void **state)
{
	assert_int_equal(check_vtd(0x10, 0), CHECK_UNIT_THERE);
	assert_int_equal(check_vtd(0x60, 0), CHECK_UNIT_THERE);
	assert_int_equal(check_vtd(~0u, ~0ull), CHECK_UNIT_ABSENT);
	assert_int_equal(check_vtd(0, 0), CHECK_UNIT_OTHER);
	assert_int_equal(check_vtd(0x110, 0), CHECK_UNIT_OTHER);
	assert_int_equal(check_vtd(~0u, 0), CHECK_UNIT_OTHER);
	assert_int_equal(check_amdvi(0, 0), CHECK_UNIT_THERE);
	assert_int_equal(check_amdvi(~0ull, 0), CHECK_UNIT_THERE);
	assert_int_equal(check_amdvi(~0ull, ~0ull), CHECK_UNIT_ABSENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
