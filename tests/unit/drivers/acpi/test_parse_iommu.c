/* SOURCES: drivers/acpi/parse_iommu.c drivers/acpi/parse.c check/iommu.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOMMUs that DMAR and IVRS name, in tables whole and broken */
#include "drivers/acpi/parse.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

static struct acpi_facts facts;
static u8 *table; /* of exactly its length, so that ASan sees any other read */
static u32 length;

static int setup(void **state)
{
	memset(&facts, 0, sizeof(facts));
	fake_log_reset();
	table = NULL;
	length = 0;
	return 0;
}

static int teardown(void **state)
{
	free(table);
	return 0;
}

static void add(const void *bytes, size_t count)
{
	table = realloc(table, length + count);
	memcpy(table + length, bytes, count);
	length += (u32)count;
	((struct acpi_header *)table)->length = length;
}

static void begin(const char *signature, size_t entries)
{
	static const u8 zero[64];

	add(zero, entries);
	memcpy(table, signature, 4);
}

static void parse(void)
{
	acpi_parse_iommus(&facts, (void *)table);
}

static void add_drhd(u64 base, u8 size)
{
	const struct dmar_drhd e = {
		{ DMAR_DRHD, sizeof(e) }, 0, size, 0, base
	};

	add(&e, sizeof(e));
}

static void test_dmar(void **state)
{
	static const u8 rmrr[24] = { 1, 0, 24, 0 };

	begin("DMAR", DMAR_ENTRIES_OFFSET);
	add_drhd(0xfed90000, 0);
	add(rmrr, sizeof(rmrr));
	add_drhd(0xfed91000, 3);
	add_drhd(0, 0);
	parse();
	assert_int_equal(facts.iommu_count, 3);
	assert_int_equal(facts.iommus[0].base, 0xfed90000);
	assert_false(facts.iommus[0].amd);
	assert_int_equal(facts.iommus[0].size, PAGE_SIZE);
	assert_int_equal(facts.iommus[1].base, 0xfed91000);
	assert_int_equal(facts.iommus[1].size, 8 * PAGE_SIZE);
	/* One that is nowhere is one, too */
	assert_int_equal(facts.iommus[2].base, 0);
	assert_int_equal(fake_log_lines, 0);
	assert_null(facts.iommu_unread);
}

static void add_ivhd(u8 type, u64 base, u32 features, u64 efr)
{
	struct ivrs_ivhd11 e = { .efr = efr };

	e.ivhd.entry.type = type;
	e.ivhd.entry.length = type == IVRS_IVHD10 ? sizeof(e.ivhd) : sizeof(e);
	e.ivhd.base = base;
	e.ivhd.features = features;
	add(&e, e.ivhd.entry.length);
}

static void test_ivrs(void **state)
{
	static const u8 ivmd[32] = { 0x20, 0, 32, 0 };

	begin("IVRS", IVRS_ENTRIES_OFFSET);
	add_ivhd(IVRS_IVHD10, 0xfeb80000, 0, 0);
	add(ivmd, sizeof(ivmd));
	/* The same unit, whose counters the older format does not tell */
	add_ivhd(IVRS_IVHD11, 0xfeb80000, 0, IVHD_EFR_PC);
	add_ivhd(IVRS_IVHD40, 0xf0000000, (u32)IVHD_FEATURES_BANKS, 0);
	add_ivhd(IVRS_IVHD10, 0xf1000000, 2u << 17, 0);
	parse();
	assert_int_equal(facts.iommu_count, 3);
	assert_int_equal(facts.iommus[0].size, KIB(512));
	assert_true(facts.iommus[0].amd);
	assert_int_equal(facts.iommus[1].base, 0xf0000000);
	assert_int_equal(facts.iommus[1].size, KIB(16));
	assert_int_equal(facts.iommus[2].size, KIB(512));
	assert_int_equal(fake_log_lines, 0);
}

/* An entry that ends behind its table, or nowhere */
static void test_cut(void **state)
{
	begin("DMAR", DMAR_ENTRIES_OFFSET);
	add_drhd(0xfed90000, 0);
	add("\0\0\377\377", 4);
	parse();
	assert_int_equal(facts.iommu_count, 1);
	assert_int_equal(fake_log_warnings, 1);
	assert_string_equal(facts.iommu_unread, "DMAR");
	memset(table + length - 2, 0, 2);
	table[length - 4] = DMAR_DRHD + 1;
	parse();
	assert_int_equal(fake_log_warnings, 2);
	memcpy(table, "IVRS", 4);
	parse();
	assert_int_equal(facts.iommu_count, 1);
	assert_string_equal(facts.iommu_unread, "IVRS");
}

/* Linux takes it as the end, too */
static void test_padding(void **state)
{
	begin("DMAR", DMAR_ENTRIES_OFFSET);
	add_drhd(0xfed90000, 0);
	add("\0\0\0\0\0\0\0", 7);
	parse();
	assert_int_equal(facts.iommu_count, 1);
	assert_null(facts.iommu_unread);
	teardown(state);
	setup(state);
	begin("IVRS", IVRS_ENTRIES_OFFSET);
	add("\0\0\0\0\0\0\0", 7);
	parse();
	assert_null(facts.iommu_unread);
	assert_int_equal(fake_log_warnings, 0);
}

/* One that is named, but for its address */
static void test_short(void **state)
{
	begin("DMAR", DMAR_ENTRIES_OFFSET);
	add("\0\0\x08\0\0\0\0\0", 8);
	add_drhd(0xfed90000, 0);
	parse();
	assert_int_equal(facts.iommu_count, 1);
	assert_string_equal(facts.iommu_unread, "DMAR");
	teardown(state);
	setup(state);
	begin("IVRS", IVRS_ENTRIES_OFFSET);
	add("\x10\0\x08\0\0\0\0\0", 8);
	parse();
	assert_int_equal(facts.iommu_count, 0);
	assert_string_equal(facts.iommu_unread, "IVRS");
}

static void test_many(void **state)
{
	begin("DMAR", DMAR_ENTRIES_OFFSET);
	for (u64 i = 0; i <= ACPI_MAX_IOMMUS; i++)
		add_drhd(0xe0000000 + i * PAGE_SIZE, 0);
	parse();
	assert_int_equal(facts.iommu_count, ACPI_MAX_IOMMUS);
	assert_int_equal(fake_log_warnings, 1);
	assert_string_equal(facts.iommu_unread, "DMAR");
}

static void test_random(void **state)
{
	srand(11);
	for (u32 i = 0; i < 20000; i++) {
		teardown(state);
		setup(state);
		begin(i % 2 ? "DMAR" : "IVRS", 48);
		for (u32 n = (u32)rand() % 80; n; n--) {
			u8 byte = (u8)(rand() % 4 ? rand() % 48 : rand());

			add(&byte, 1);
		}
		parse();
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* The table's own flags; one too short has none */
static void test_opt_in(void **state)
{
	begin("DMAR", DMAR_ENTRIES_OFFSET);
	table[DMAR_FLAGS_OFFSET] = 3;
	parse();
	assert_false(facts.dma_opt_in);
	table[DMAR_FLAGS_OFFSET] = DMAR_DMA_OPT_IN;
	parse();
	assert_true(facts.dma_opt_in);
	free(table);
	table = NULL;
	length = 0;
	facts.dma_opt_in = false;
	begin("DMAR", sizeof(struct acpi_header));
	parse();
	assert_false(facts.dma_opt_in);
	assert_string_equal(facts.iommu_unread, "DMAR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_dmar),
		T(test_ivrs),
		T(test_cut),
		T(test_padding),
		T(test_short),
		T(test_many),
		T(test_random),
		cmocka_unit_test_setup_teardown(test_opt_in, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
