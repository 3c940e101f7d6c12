/* SOURCES: mm/pool_size.c mm/owner.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* How much the hypervisor keeps, by the machine's size and by the shape of its
 * memory map */
#include "arch/x86/cpu/cpu_area.h"
#include "mm/owner.h"
#include "mm/pool_size.h"
#include "tests/unit/test.h"

#define IMAGE_BYTES MIB(2) /* and the log ring */

static struct boot_info bi;

static void mem_add(u64 base, u64 size, u32 type)
{
	bi.mem[bi.mem_count++] =
		(struct boot_mem){ .base = base, .size = size, .type = type };
}

static u64 size_of(u32 cores)
{
	assert_int_equal(owner_init(&bi), 0);
	bi.mem_count = 0;
	return ALIGN_UP(pool_size(cores), PAGE_2M);
}

static void plain(u64 ram)
{
	mem_add(0, 0x9f000, BOOT_MEM_CONVENTIONAL);
	mem_add(MIB(1), MIB(2047), BOOT_MEM_CONVENTIONAL);
	mem_add(GIB(2), MIB(16), BOOT_MEM_ACPI_NVS);
	if (ram > GIB(2))
		mem_add(GIB(4), ram - GIB(2), BOOT_MEM_CONVENTIONAL);
}

/* 8 MiB, 256 KiB a core and 0.001 % of RAM */
static u64 limit(u64 ram, u32 cores)
{
	return MIB(8) + cores * KIB(256) + ram / 100000 - IMAGE_BYTES;
}

static void test_small(void **state)
{
	plain(GIB(2));
	assert_int_equal(size_of(4), MIB(4));
	plain(GIB(8));
	assert_int_equal(size_of(8), MIB(4));
}

/* On a CPU with iTLB multihit, with a guest that has all cores */
static u64 size_split(u32 cores)
{
	u64 ram, tables, size = size_of(cores);

	tables = pool_split_tables(cores, &ram) + SPLIT_TABLES_MIN(cores);
	size = pool_size(cores) + tables * PAGE_SIZE;
	return ALIGN_UP(size, PAGE_2M);
}

/* 6 MiB at 2 GiB, 8 MiB at 8 GiB, with the image */
static void test_small_split(void **state)
{
	u64 ram;

	plain(GIB(2));
	assert_int_equal(size_split(4), MIB(4));
	assert_int_equal(pool_split_tables(4, &ram), GIB(2) / MIB(16));
	assert_int_equal(ram, GIB(2) + MIB(15) + 0x9f000);
	plain(GIB(8));
	assert_int_equal(size_split(9), MIB(6));
}

/* Each has its stacks, and some pages of tables; the rest is for guests */
static void test_many_cores(void **state)
{
	plain(GIB(4));
	assert_true(size_of(240) >= 240 * (CPU_AREA_SIZE + KIB(24)) + MIB(2));
}

static void test_limits(void **state)
{
	static const struct {
		u64 gib;
		u32 cores;
	} machines[] = { { 2, 1 },      { 8, 8 },       { 64, 16 },
			 { 256, 64 },   { 1024, 128 },  { 6144, 16 },
			 { 6144, 256 }, { 16384, 256 }, { 65536, 1024 } };

	for (u32 i = 0; i < ARRAY_SIZE(machines); i++) {
		u64 ram = machines[i].gib << 30, size;

		plain(ram);
		size = size_of(machines[i].cores);
		assert_true(size <= limit(ram, machines[i].cores));
		/* A table for each GiB, if the CPU's largest page is 2 MiB */
		assert_true(size >= MIB(2) + ram / PAGE_1G * PAGE_SIZE);
		plain(ram);
		assert_true(size_split(machines[i].cores) <=
			    limit(ram, machines[i].cores));
	}
}

/* Each hole cuts large pages: two tables at each of its ends, unless they share
 * a GiB or 2 MiB with what is there */
static void test_holes(void **state)
{
	const u64 step = GIB(2);
	u64 without, with;

	mem_add(0, 300 * step, BOOT_MEM_CONVENTIONAL);
	without = size_of(16);
	mem_add(0, 300 * step, BOOT_MEM_CONVENTIONAL);
	for (u64 i = 0; i < 300; i++)
		mem_add(i * step + MIB(3), MIB(5), BOOT_MEM_RESERVED);
	with = size_of(16);
	/* One table of 2 MiB pages, one of 4 KiB pages before the hole; behind
	 * it, 2 MiB pages begin at once */
	assert_in_range(with, without + 600 * PAGE_SIZE - PAGE_2M,
			without + 600 * PAGE_SIZE + PAGE_2M);
	assert_true(with <= limit(300 * step, 16));
}

/* The privileged guest maps it as well */
static void test_special_memory(void **state)
{
	u64 without;

	plain(GIB(64));
	without = size_of(16);
	plain(GIB(64));
	mem_add(GIB(1024), GIB(1024), BOOT_MEM_SPECIAL);
	assert_true(size_of(16) >= without + 1024 * PAGE_SIZE);
	plain(GIB(64));
	mem_add(GIB(1024), GIB(1024), BOOT_MEM_PERSISTENT);
	assert_true(size_of(16) >= without + 1024 * PAGE_SIZE);
	plain(GIB(64));
	mem_add(GIB(1024), GIB(1024), BOOT_MEM_RESERVED);
	assert_int_equal(size_of(16), without);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_small_split),
		cmocka_unit_test(test_many_cores),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_special_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
