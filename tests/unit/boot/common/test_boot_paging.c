/* SOURCES: boot/common/paging.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The loaders' page tables, walked as the processor does */
/* clang-format off */
/* clang-format on */
#include "boot/common/image.h"
#include "boot/common/paging.h"
#include "lib/string.h"
#include "tests/unit/test.h"

#define PRESENT_WRITABLE 3
#define LEAF             BIT(7)
#define UNMAPPED         (~0ull)

static void *block;
static struct paging pg;
static u64 block_end;

static void start(u64 top, bool has_1g)
{
	u64 bytes = paging_pages(top, has_1g) * PAGE_SIZE;

	block = aligned_alloc(PAGE_SIZE, bytes);
	memset(block, 0, bytes);
	block_end = (u64)block + bytes;
	pg.root = block;
	pg.next = (u64)block + PAGE_SIZE;
	pg.has_1g = has_1g;
	paging_identity(&pg, 0, top);
}

static void finish(void)
{
	assert_true(pg.next <= block_end);
	free(block);
}

static u64 walk(u64 va)
{
	u64 *table = pg.root;

	for (u32 shift = 39; shift >= 21; shift -= 9) {
		u64 entry = table[(va >> shift) % 512];

		if (!(entry & 1))
			return UNMAPPED;
		assert_int_equal(entry & PRESENT_WRITABLE, PRESENT_WRITABLE);
		if (entry & LEAF)
			return (entry & BITS(51, 21)) | (va & (BIT(shift) - 1));
		table = (u64 *)(entry & BITS(51, 12));
	}
	return UNMAPPED;
}

static void check_identity(u64 top, bool has_1g)
{
	start(top, has_1g);
	for (u64 va = 0x1234; va < top; va += GIB(1) / 2 + PAGE_2M)
		assert_int_equal(walk(va), va);
	assert_int_equal(walk(top - 1), top - 1);
	assert_int_equal(walk(top), UNMAPPED);
	paging_image(&pg, 0x7dc00000, MIB(3));
	assert_int_equal(walk(IMAGE_LINK_BASE), 0x7dc00000);
	assert_int_equal(walk(IMAGE_LINK_BASE + MIB(3) - 1),
			 0x7dc00000 + MIB(3) - 1);
	assert_int_equal(walk(IMAGE_LINK_BASE + MIB(4)), UNMAPPED);
	finish();
}

static void test_identity(void **state)
{
	check_identity(GIB(4), false);
	check_identity(GIB(7), false);
	check_identity(GIB(512), true);
	check_identity(GIB(1536), true);
	check_identity(GIB(513), false);
}

static void check_framebuffer(u64 base, u64 top, bool has_1g)
{
	struct boot_framebuffer fb = { .base = base,
				       .stride_bytes = 16384,
				       .height = 4096 };
	u64 last = base + 16384ull * 4096 - 1;

	start(top, has_1g);
	paging_framebuffer(&pg, &fb);
	paging_image(&pg, 0x200000, MIB(2));
	assert_int_equal(walk(base), base);
	assert_int_equal(walk(last), last);
	assert_int_equal(walk(PAGE_2M), PAGE_2M);
	finish();
}

static void test_framebuffer_anywhere(void **state)
{
	check_framebuffer(0xc0000000, GIB(4), false);
	check_framebuffer(0xe000000000, GIB(4), false);
	check_framebuffer(0xe000000000, GIB(512), true);
	check_framebuffer(0xe000000000 - MIB(32), GIB(4), false);
	check_framebuffer(GIB(1024) - MIB(32), GIB(4), false);
	check_framebuffer(GIB(1024) - MIB(32), GIB(512), true);
	check_framebuffer(BIT(46), GIB(512), true);
}

static void test_top(void **state)
{
	assert_int_equal(paging_top(MIB(100), false), GIB(4));
	assert_int_equal(paging_top(GIB(5) + 1, false), GIB(6));
	assert_int_equal(paging_top(GIB(5), true), GIB(512));
	assert_int_equal(paging_top(GIB(600) + 1, true), GIB(601));
	/* A 1:1 map of the lower half has no more */
	assert_int_equal(paging_top(BIT(47) + GIB(9), true), BIT(47));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_framebuffer_anywhere),
		cmocka_unit_test(test_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
