/* SOURCES: hv/assign/vtd_walk.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks of a virtual IOMMU's tables: what they permit, and tables that make no
 * sense. Memory is an array; an access outside of it fails. */
#include "hv/assign/vtd_walk.h"

#include "include/hw/vtd.h"
#include "lib/errno.h"
#include "tests/unit/test.h"

#define PAGES   16u
#define WIDTH   36u
#define BUS     3u
#define DEVFN   0x78u
#define IOVA    0x123456789aull /* entries 2, 72, 418 and 393 */
#define TARGET  0x9abcd000ull
#define CONTEXT 2u /* pages: 1 is the root's */
#define LEVEL4  3u
#define LEVEL3  4u
#define LEVEL2  5u
#define LEVEL1  6u
#define RW      (VTD_SL_READ | VTD_SL_WRITE)

static u64 ram[PAGES][512];
static u32 reads;

static bool read_ram(void *arg, u64 gpa, u64 *value)
{
	assert_ptr_equal(arg, ram);
	assert_int_equal(gpa % 8, 0);
	reads++;
	if (gpa / PAGE_SIZE >= PAGES)
		return false;
	*value = ram[gpa / PAGE_SIZE][gpa % PAGE_SIZE / 8];
	return true;
}

static struct vtd_tables tables;

static u64 *root_entry(void)
{
	return &ram[1][BUS * 2];
}

static u64 *context_entry(void)
{
	return &ram[CONTEXT][DEVFN * 2];
}

static u64 *level(u32 page, u32 number)
{
	return &ram[page][IOVA >> (12 + 9 * (number - 1)) & 511];
}

/* One page is mapped */
static int setup(void **state)
{
	memset(ram, 0, sizeof(ram));
	tables = (struct vtd_tables){ .root = PAGE_SIZE,
				      .bus = BUS,
				      .devfn = DEVFN,
				      .width = WIDTH,
				      .read = read_ram,
				      .arg = ram };
	root_entry()[0] = CONTEXT * PAGE_SIZE | VTD_PRESENT;
	context_entry()[0] = LEVEL4 * PAGE_SIZE | VTD_PRESENT;
	context_entry()[1] = 7 << 8 | VTD_AW_48;
	*level(LEVEL4, 4) = LEVEL3 * PAGE_SIZE | RW;
	*level(LEVEL3, 3) = LEVEL2 * PAGE_SIZE | RW;
	*level(LEVEL2, 2) = LEVEL1 * PAGE_SIZE | RW;
	*level(LEVEL1, 1) = TARGET | RW;
	reads = 0;
	return 0;
}

static void expect(u64 iova, u64 gpa, u64 left)
{
	u64 at = 0, bytes = 0;

	assert_int_equal(vtd_walk(&tables, iova, false, &at, &bytes), 0);
	assert_int_equal(at, gpa);
	assert_int_equal(bytes, left);
	assert_int_equal(vtd_walk(&tables, iova, true, &at, &bytes), 0);
	assert_int_equal(at, gpa);
}

static void refuse(u64 iova)
{
	u64 at, bytes;

	assert_int_equal(vtd_walk(&tables, iova, false, &at, &bytes), -EFAULT);
	assert_int_equal(vtd_walk(&tables, iova, true, &at, &bytes), -EFAULT);
}

static void test_page(void **state)
{
	u64 at, bytes;

	assert_int_equal(vtd_walk(&tables, IOVA, false, &at, &bytes), 0);
	assert_int_equal(reads, 8); /* whatever the tables are */
	expect(IOVA, TARGET + IOVA % PAGE_SIZE, PAGE_SIZE - IOVA % PAGE_SIZE);
	expect(IOVA & ~(u64)PAGE_MASK, TARGET, PAGE_SIZE);
	expect(IOVA | PAGE_MASK, TARGET + PAGE_SIZE - 1, 1);
	refuse(IOVA + PAGE_SIZE);
	refuse(IOVA + BIT(47));
	refuse(IOVA | BIT(48));
	refuse(~0ull);
}

static void test_large(void **state)
{
	*level(LEVEL2, 2) = TARGET / PAGE_2M * PAGE_2M | RW | VTD_SL_LARGE;
	expect(IOVA, TARGET / PAGE_2M * PAGE_2M + IOVA % PAGE_2M,
	       PAGE_2M - IOVA % PAGE_2M);
	*level(LEVEL2, 2) |= PAGE_SIZE; /* a reserved bit */
	refuse(IOVA);
	*level(LEVEL3, 3) = PAGE_1G | RW | VTD_SL_LARGE;
	expect(IOVA, PAGE_1G + IOVA % PAGE_1G, PAGE_1G - IOVA % PAGE_1G);
	*level(LEVEL3, 3) |= PAGE_2M;
	refuse(IOVA);
	*level(LEVEL4, 4) |= VTD_SL_LARGE; /* 512 GiB: there are none */
	refuse(IOVA);
}

/* Each level has a say */
static void test_permissions(void **state)
{
	static const u32 pages[] = { LEVEL1, LEVEL2, LEVEL3, LEVEL4 };
	u64 at, bytes;

	for (u32 i = 0; i < ARRAY_SIZE(pages); i++) {
		u64 *entry = level(pages[i], i + 1);
		u64 whole = *entry;

		*entry = whole & ~VTD_SL_WRITE;
		assert_int_equal(vtd_walk(&tables, IOVA, false, &at, &bytes),
				 0);
		assert_int_equal(vtd_walk(&tables, IOVA, true, &at, &bytes),
				 -EFAULT);
		*entry = whole & ~VTD_SL_READ;
		assert_int_equal(vtd_walk(&tables, IOVA, true, &at, &bytes), 0);
		assert_int_equal(vtd_walk(&tables, IOVA, false, &at, &bytes),
				 -EFAULT);
		*entry = whole & ~RW;
		refuse(IOVA);
		*entry = whole;
	}
	expect(IOVA, TARGET + IOVA % PAGE_SIZE, PAGE_SIZE - IOVA % PAGE_SIZE);
}

static void with(u64 *entry, u64 value)
{
	u64 whole = *entry;

	*entry = value;
	refuse(IOVA);
	*entry = whole;
}

static void test_device_entries(void **state)
{
	with(root_entry(), root_entry()[0] & ~VTD_PRESENT);
	with(context_entry(), context_entry()[0] & ~VTD_PRESENT);
	with(context_entry(), context_entry()[0] | 2 << 2); /* pass-through */
	with(context_entry(), context_entry()[0] | 1 << 2);
	with(&context_entry()[1], 1); /* three levels */
	with(&context_entry()[1], 3);
	with(&tables.root, PAGE_SIZE | BIT(11)); /* another table's mode */
	tables.devfn++;
	refuse(IOVA);
	tables.devfn--;
	tables.bus++;
	refuse(IOVA);
}

/* Pointers to nowhere, and beyond what addresses there are */
static void test_pointers(void **state)
{
	u64 nowhere = (u64)PAGES * PAGE_SIZE, beyond = BIT(WIDTH);

	with(&tables.root, nowhere);
	with(&tables.root, beyond | PAGE_SIZE);
	with(&tables.root, BITS(63, 12));
	with(root_entry(), nowhere | VTD_PRESENT);
	with(root_entry(), root_entry()[0] | beyond);
	with(context_entry(), nowhere | VTD_PRESENT);
	with(context_entry(), context_entry()[0] | BIT(63));
	with(level(LEVEL4, 4), nowhere | RW);
	with(level(LEVEL3, 3), *level(LEVEL3, 3) | beyond);
	with(level(LEVEL2, 2), *level(LEVEL2, 2) | BIT(62));
	with(level(LEVEL1, 1), TARGET | beyond | RW);
	/* A table that points to itself is a table at each level */
	*level(LEVEL4, 4) = LEVEL4 * PAGE_SIZE | RW;
	refuse(IOVA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_page, setup),
		cmocka_unit_test_setup(test_large, setup),
		cmocka_unit_test_setup(test_permissions, setup),
		cmocka_unit_test_setup(test_device_entries, setup),
		cmocka_unit_test_setup(test_pointers, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
