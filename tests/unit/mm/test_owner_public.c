/* SOURCES: mm/owner.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory map of a large server, as its Linux said it in public: a PowerEdge
 * R7625 with 768 GiB (linux-kernel mailing list, October 2024). Eight root
 * complexes have registers between the RAM and above it.
 */
#include "lib/errno.h"
#include "mm/owner.h"
#include "tests/unit/test.h"

#define R BOOT_MEM_RESERVED
#define C BOOT_MEM_CONVENTIONAL
#define N BOOT_MEM_ACPI_NVS
#define A BOOT_MEM_ACPI_RECLAIM

static const struct {
	u64 base, last;
	u32 type;
} map[] = {
	{ 0x0, 0x8efff, C },
	{ 0x8f000, 0x8ffff, N },
	{ 0x90000, 0x9ffff, C },
	{ 0x100000, 0x59cccfff, C },
	{ 0x59ccd000, 0x59ccffff, R },
	{ 0x59cd0000, 0x677cefff, C },
	{ 0x677cf000, 0x6dfcefff, R },
	{ 0x6dfcf000, 0x6edfefff, N },
	{ 0x6edff000, 0x6effefff, A },
	{ 0x6efff000, 0x6effffff, C },
	{ 0x6f000000, 0x6fffffff, N },
	{ 0x70000000, 0x8fffffff, R },
	{ 0x9c000000, 0x9cffffff, R },
	{ 0xa9000000, 0xa9ffffff, R },
	{ 0xb6000000, 0xb6ffffff, R },
	{ 0xc3000000, 0xc3ffffff, R },
	{ 0xd0000000, 0xd0ffffff, R },
	{ 0xdd000000, 0xddffffff, R },
	{ 0xea000000, 0xeaffffff, R },
	{ 0xfd000000, 0xffffffff, R },
	{ 0x100000000, 0x187fdfffff, C },
	{ 0x187fe00000, 0x187fffffff, R },
	{ 0x1880000000, 0x307fdfffff, C },
	{ 0x307fe00000, 0x307fffffff, R },
	{ 0x3080000000, 0x487fdfffff, C },
	{ 0x487fe00000, 0x487fffffff, R },
	{ 0x4880000000, 0x607edfffff, C },
	{ 0x607ee00000, 0x607fffffff, R },
	{ 0x6080000000, 0x787fdfffff, C },
	{ 0x787fe00000, 0x787fffffff, R },
	{ 0x7880000000, 0x907fdfffff, C },
	{ 0x907fe00000, 0x907fffffff, R },
	{ 0x9080000000, 0xa87fdfffff, C },
	{ 0xa87fe00000, 0xa87fffffff, R },
	{ 0xa880000000, 0xc07e7bffff, C },
	{ 0xc07e7c0000, 0xc07fbfffff, R },
	{ 0xc07fc00000, 0xc07fcfffff, C },
	{ 0xc07fd00000, 0xc07fffffff, R },
	{ 0x10000000000, 0x100201fffff, R },
	{ 0x1dfa0000000, 0x1dfc01fffff, R },
	{ 0x2bf40000000, 0x2bf601fffff, R },
	{ 0x39ee0000000, 0x39f001fffff, R },
	{ 0x47e80000000, 0x47ea01fffff, R },
	{ 0x55e20000000, 0x55e401fffff, R },
	{ 0x63dc0000000, 0x63de01fffff, R },
	{ 0x71d60000000, 0x71d801fffff, R },
};

static struct boot_info bi;

static int setup(void **state)
{
	memset(&bi, 0, sizeof(bi));
	for (u32 i = 0; i < ARRAY_SIZE(map); i++)
		bi.mem[bi.mem_count++] = (struct boot_mem){
			.base = map[i].base,
			.size = map[i].last + 1 - map[i].base,
			.type = map[i].type,
		};
	assert_int_equal(owner_init(&bi), 0);
	owner_loader_gone();
	return 0;
}

/* Every byte is told of by one extent, and none is in two */
static void test_whole_map(void **state)
{
	u64 told = 0, map_bytes = 0, conventional = 0, end = 0;

	for (u32 i = 0; i < ARRAY_SIZE(map); i++) {
		u64 bytes = map[i].last + 1 - map[i].base;

		map_bytes += bytes;
		conventional += map[i].type == C ? bytes : 0;
	}
	for (u32 i = 0; i < owner_count(); i++) {
		const struct extent *e = owner_at(i);

		assert_true(e->base >= end);
		end = e->base + e->size;
		told += e->size;
	}
	assert_int_equal(told, map_bytes);
	assert_int_equal(owner_bytes(OWNER_FREE, 0), conventional);
}

/* All of it by GiB, as guests get it; what is left lies in the pieces' ends */
static void test_taken_by_gib(void **state)
{
	u32 pieces = 0;
	hpa_t at;

	while (!owner_take(GIB(1), GIB(1), 0, ~0ull, OWNER_GUEST, 1, &at)) {
		assert_true(IS_ALIGNED(at.v, GIB(1)));
		pieces++;
	}
	assert_true(pieces >= 750);
	assert_int_equal(owner_bytes(OWNER_GUEST, 1), pieces * GIB(1));
	assert_true(owner_bytes(OWNER_FREE, 0) < 20 * GIB(1));
}

/* Registers of the last root complex, between the reserved ranges */
static void test_registers_above(void **state)
{
	assert_int_equal(owner_keep_device(0x71d40000000, PAGE_SIZE), 0);
	assert_int_equal(owner_keep_device(0xea180000, PAGE_SIZE), 0);
	assert_int_equal(owner_keep_device(GIB(300), PAGE_SIZE), -EBUSY);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_whole_map),
		T(test_taken_by_gib),
		T(test_registers_above),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
