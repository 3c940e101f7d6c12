/* SOURCES: boot/common/boot_mem.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The loaders' memory map: whatever comes in, what goes out is ascending,
 * disjoint, in whole pages, and says the least usable type of each page */
#include "boot/common/boot_mem.h"
#include "include/hw/efi.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "tests/unit/test.h"

static struct boot_info bi;

static int setup(void **state)
{
	memset(&bi, 0, sizeof(bi));
	return 0;
}

static void add(u64 base, u64 size, u32 type)
{
	assert_int_equal(boot_mem_add(&bi, base, size, type, 0), 0);
}

static void check_order(void)
{
	for (u32 i = 0; i < bi.mem_count; i++) {
		const struct boot_mem *m = &bi.mem[i];

		assert_true(m->size > 0);
		assert_true(IS_ALIGNED(m->base | m->size, PAGE_SIZE));
		if (i)
			assert_true(m[-1].base + m[-1].size <= m->base);
	}
}

static void check_entry(u32 i, u64 base, u64 end, u32 type)
{
	assert_true(i < bi.mem_count);
	assert_int_equal(bi.mem[i].base, base);
	assert_int_equal(bi.mem[i].base + bi.mem[i].size, end);
	assert_int_equal(bi.mem[i].type, type);
}

static void test_sorts(void **state)
{
	add(0x100000, 0x1000, BOOT_MEM_RT_DATA);
	add(0x1000, 0x2000, BOOT_MEM_CONVENTIONAL);
	add(0x50000, 0x1000, BOOT_MEM_ACPI_NVS);
	check_order();
	assert_int_equal(bi.mem_count, 3);
	check_entry(0, 0x1000, 0x3000, BOOT_MEM_CONVENTIONAL);
	check_entry(2, 0x100000, 0x101000, BOOT_MEM_RT_DATA);
}

static void test_merges_alike(void **state)
{
	add(0x1000, 0x1000, BOOT_MEM_CONVENTIONAL);
	add(0x3000, 0x1000, BOOT_MEM_CONVENTIONAL);
	add(0x2000, 0x1000, BOOT_MEM_CONVENTIONAL);
	assert_int_equal(bi.mem_count, 1);
	check_entry(0, 0x1000, 0x4000, BOOT_MEM_CONVENTIONAL);
	/* Attributes that nobody looks at are no difference */
	assert_int_equal(
		boot_mem_add(&bi, 0x4000, 0x1000, BOOT_MEM_CONVENTIONAL, 0xf),
		0);
	assert_int_equal(bi.mem_count, 1);
}

static void test_clips_to_pages(void **state)
{
	add(0x0, 0x9fc00, BOOT_MEM_CONVENTIONAL);
	add(0x9fc00, 0x400, BOOT_MEM_RESERVED);
	check_order();
	assert_int_equal(bi.mem_count, 2);
	check_entry(0, 0, 0x9f000, BOOT_MEM_CONVENTIONAL);
	check_entry(1, 0x9f000, 0xa0000, BOOT_MEM_RESERVED);
	add(0x200010, 0x800, BOOT_MEM_CONVENTIONAL);
	assert_int_equal(bi.mem_count, 2);
}

static void test_overlap_least_usable_wins(void **state)
{
	add(0x10000, 0x10000, BOOT_MEM_CONVENTIONAL);
	add(0x14000, 0x2000, BOOT_MEM_RESERVED);
	check_order();
	assert_int_equal(bi.mem_count, 3);
	check_entry(0, 0x10000, 0x14000, BOOT_MEM_CONVENTIONAL);
	check_entry(1, 0x14000, 0x16000, BOOT_MEM_RESERVED);
	check_entry(2, 0x16000, 0x20000, BOOT_MEM_CONVENTIONAL);
	/* the other way round: RAM does not eat what is reserved */
	add(0x13000, 0x4000, BOOT_MEM_CONVENTIONAL);
	assert_int_equal(bi.mem_count, 3);
	check_entry(1, 0x14000, 0x16000, BOOT_MEM_RESERVED);
}

static void test_overlap_covers_many(void **state)
{
	for (u64 i = 0; i < 8; i++)
		add(0x10000 + i * 0x2000, 0x1000, BOOT_MEM_CONVENTIONAL);
	add(0x8000, 0x20000, BOOT_MEM_UNUSABLE);
	check_order();
	assert_int_equal(bi.mem_count, 1);
	check_entry(0, 0x8000, 0x28000, BOOT_MEM_UNUSABLE);
}

static void test_foreign_types_and_ends(void **state)
{
	add(0x1000, 0x1000, 0x70000001);
	check_entry(0, 0x1000, 0x2000, BOOT_MEM_RESERVED);
	add(0x3000, 0, BOOT_MEM_CONVENTIONAL);
	add(~0xfffull, 0x1000, BOOT_MEM_CONVENTIONAL);
	assert_int_equal(bi.mem_count, 1);
	add(BIT(52) - 0x2000, ~0ull, BOOT_MEM_RESERVED);
	check_entry(1, BIT(52) - 0x2000, BIT(52), BOOT_MEM_RESERVED);
}

static void test_full_table_compacts(void **state)
{
	for (u64 i = 0; i < BOOT_MAX_MEM + 100; i++)
		add(0x100000 + i * 0x1000, 0x1000,
		    i % 2 ? BOOT_MEM_BS_DATA : BOOT_MEM_CONVENTIONAL);
	check_order();
	assert_int_equal(bi.mem[0].base, 0x100000);
	assert_int_equal(boot_mem_top(&bi),
			 0x100000 + (BOOT_MAX_MEM + 100) * PAGE_SIZE);
}

static void test_full_table_is_an_error(void **state)
{
	u32 i;

	for (i = 0; i < BOOT_MAX_MEM; i++)
		add(i * 0x2000, 0x1000, BOOT_MEM_RESERVED);
	assert_int_equal(
		boot_mem_add(&bi, i * 0x2000, 0x1000, BOOT_MEM_RESERVED, 0),
		-ENOSPC);
	check_order();
	assert_int_equal(bi.mem_count, BOOT_MAX_MEM);
}

/* A server's map: 600 entries and 300 holes over 16 TiB, in any order, some of
 * them twice and some across others */
static void test_server_map(void **state)
{
	const u64 step = GIB(16 * 1024) / 300;
	u64 piece = ALIGN_DOWN(step, PAGE_SIZE);

	for (u64 i = 0; i < 300; i++) {
		u64 base = i * 7 % 300 * piece; /* each once */

		add(base, piece - MIB(1), BOOT_MEM_CONVENTIONAL);
		add(base + piece - MIB(2), MIB(2), BOOT_MEM_RESERVED);
		add(base, PAGE_SIZE, BOOT_MEM_BS_DATA);
	}
	check_order();
	assert_int_equal(bi.mem_count, 900);
	assert_int_equal(boot_mem_top(&bi), 300 * piece - MIB(2));
}

static void test_special_memory(void **state)
{
	assert_int_equal(boot_mem_add(&bi, GIB(4), GIB(1),
				      BOOT_MEM_CONVENTIONAL,
				      EFI_MEMORY_SP | 0xf),
			 0);
	assert_int_equal(boot_mem_add(&bi, GIB(5), GIB(1), BOOT_MEM_BS_DATA,
				      EFI_MEMORY_SP | 0xf),
			 0);
	add(GIB(6), GIB(1), BOOT_MEM_PERSISTENT);
	add(GIB(7), GIB(1), BOOT_MEM_UNACCEPTED);
	add(GIB(8), GIB(1), BOOT_MEM_CONVENTIONAL);
	check_order();
	check_entry(0, GIB(4), GIB(5), BOOT_MEM_SPECIAL);
	check_entry(1, GIB(5), GIB(6), BOOT_MEM_BS_DATA);
	check_entry(2, GIB(6), GIB(7), BOOT_MEM_PERSISTENT);
	check_entry(3, GIB(7), GIB(8), BOOT_MEM_RESERVED);
	assert_true(boot_mem_is_ram(BOOT_MEM_SPECIAL));
	assert_false(boot_mem_is_ram(BOOT_MEM_UNACCEPTED));
}

static void test_top_is_of_ram(void **state)
{
	assert_int_equal(boot_mem_top(&bi), 0);
	add(0x100000, 0x100000, BOOT_MEM_CONVENTIONAL);
	add(0xfee00000, 0x1000, BOOT_MEM_MMIO);
	add(0xfd00000000, 0x300000000, BOOT_MEM_RESERVED);
	assert_int_equal(boot_mem_top(&bi), 0x200000);
}

/* Against a page by page model */
#define MODEL_PAGES 64
static const u32 model_types[] = {
	BOOT_MEM_CONVENTIONAL, BOOT_MEM_ACPI_RECLAIM, BOOT_MEM_ACPI_NVS,
	BOOT_MEM_RESERVED,     BOOT_MEM_UNUSABLE,
}; /* from usable to not */

static int type_at(u64 addr)
{
	for (u32 i = 0; i < bi.mem_count; i++) {
		const struct boot_mem *m = &bi.mem[i];

		if (addr >= m->base && addr < m->base + m->size)
			return (int)m->type;
	}
	return -1;
}

static void random_round(void)
{
	int model[MODEL_PAGES];

	memset(model, 0xff, sizeof(model));
	memset(&bi, 0, sizeof(bi));
	for (u32 n = 0; n < 30; n++) {
		u32 first = (u32)rand() % MODEL_PAGES;
		u32 count = (u32)rand() % (MODEL_PAGES - first);
		int rank = rand() % (int)ARRAY_SIZE(model_types);

		add(first * PAGE_SIZE, count * PAGE_SIZE, model_types[rank]);
		for (u32 p = first; p < first + count; p++)
			model[p] = MAX(model[p], rank);
	}
	check_order();
	for (u32 p = 0; p < MODEL_PAGES; p++) {
		int want = model[p] < 0 ? -1 : (int)model_types[model[p]];

		assert_int_equal(type_at(p * PAGE_SIZE), want);
	}
}

static void test_random(void **state)
{
	srand(1);
	for (u32 round = 0; round < 300; round++)
		random_round();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sorts, setup),
		cmocka_unit_test_setup(test_merges_alike, setup),
		cmocka_unit_test_setup(test_clips_to_pages, setup),
		cmocka_unit_test_setup(test_overlap_least_usable_wins, setup),
		cmocka_unit_test_setup(test_overlap_covers_many, setup),
		cmocka_unit_test_setup(test_foreign_types_and_ends, setup),
		cmocka_unit_test_setup(test_full_table_compacts, setup),
		cmocka_unit_test_setup(test_full_table_is_an_error, setup),
		cmocka_unit_test_setup(test_server_map, setup),
		cmocka_unit_test_setup(test_special_memory, setup),
		cmocka_unit_test_setup(test_top_is_of_ram, setup),
		cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
