/* SOURCES: mm/iomap.c mm/pt.c mm/pt_format.c tests/unit/mm/table_pages.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Device mappings that move: on the real tables, with no page more each time */
#include "arch/x86/cpu/features.h"
#include "lib/errno.h"
#include "mm/hostmap_pt.h"
#include "mm/iomap.h"
#include "mm/pt.h"
#include "tests/unit/mm/table_pages.h"
#include "tests/unit/test.h"

#define ROOM  (9 * PAGE_SIZE)
#define ATTRS (PT_R | PT_W | PT_UC)

static struct page_table pt;
static struct budget budget;
static u64 next_va;

int hostmap_map(u64 va, hpa_t hpa, u64 size, u32 attrs)
{
	return pt_map(&pt, va, hpa, size, attrs);
}

int hostmap_unmap(u64 va, u64 size)
{
	return pt_unmap(&pt, va, size);
}

u64 *hostmap_slots(u64 va)
{
	return pt_slots_4k(&pt, va);
}

u64 hostmap_place(u64 bytes)
{
	return next_va;
}

static int fresh(void **state)
{
	cpu_features.phys_bits = 40;
	table_pages_reset();
	budget = (struct budget){ 0 };
	next_va = 0xffffc00000000000ull + 3 * PAGE_SIZE;
	return pt_init(&pt, &pt_host, &budget, 2);
}

static int done(void **state)
{
	pt_destroy(&pt);
	return (int)budget.used_pages;
}

static u64 mapped(const struct iomap *m, u64 offset)
{
	hpa_t hpa;
	u32 attrs;
	u64 left;

	if (pt_query(&pt, (u64)m->va + offset, &hpa, &attrs, &left))
		return 0;
	assert_int_equal(attrs, ATTRS);
	return hpa.v;
}

static void test_moves(void **state)
{
	struct iomap m = { 0 };

	assert_int_equal(iomap_init(&m, ROOM), 0);
	assert_int_equal(mapped(&m, 0), 0);
	table_pages_left = 0;
	for (u64 i = 1; i < 60000; i++) {
		u64 pages = 1 + i % (ROOM / PAGE_SIZE);

		assert_int_equal(iomap_move(&m, HPA(i * PAGE_SIZE),
					    pages * PAGE_SIZE, ATTRS),
				 0);
		assert_int_equal(mapped(&m, 0), i * PAGE_SIZE);
		assert_int_equal(mapped(&m, (pages - 1) * PAGE_SIZE),
				 (i + pages - 1) * PAGE_SIZE);
		/* What the last one had more is gone */
		assert_int_equal(mapped(&m, pages * PAGE_SIZE), 0);
	}
}

/* The room may cross 2 MiB, and the target begin a large page */
static void test_large(void **state)
{
	struct iomap m = { 0 };

	next_va += PAGE_2M - 5 * PAGE_SIZE;
	assert_int_equal(iomap_init(&m, 2 * PAGE_2M), 0);
	table_pages_left = 0;
	assert_int_equal(iomap_move(&m, HPA(PAGE_1G - 2 * PAGE_SIZE),
				    2 * PAGE_2M, ATTRS),
			 0);
	assert_int_equal(mapped(&m, 2 * PAGE_2M - 1),
			 PAGE_1G - 2 * PAGE_SIZE + 2 * PAGE_2M - 1);
}

static void test_refusals(void **state)
{
	struct iomap m = { 0 };

	assert_int_equal(iomap_init(&m, 0), -EINVAL);
	assert_int_equal(iomap_init(&m, 100), -EINVAL);
	assert_int_equal(iomap_init(&m, ROOM), 0);
	assert_int_equal(iomap_move(&m, HPA(PAGE_SIZE), PAGE_SIZE, ATTRS), 0);
	/* A refused move leaves nothing where the last one was */
	assert_int_equal(iomap_move(&m, HPA(BIT(40)), PAGE_SIZE, ATTRS),
			 -EINVAL);
	assert_int_equal(mapped(&m, 0), 0);
	assert_int_equal(iomap_move(&m, HPA(0), ROOM + PAGE_SIZE, ATTRS),
			 -EINVAL);
	assert_int_equal(iomap_move(&m, HPA(8), PAGE_SIZE, ATTRS), -EINVAL);
	assert_int_equal(iomap_move(&m, HPA(0), 0, ATTRS), -EINVAL);
	assert_int_equal(mapped(&m, 0), 0);
}

static void test_no_memory(void **state)
{
	struct iomap m = { 0 };

	table_pages_left = 1;
	assert_int_equal(iomap_init(&m, ROOM), -ENOMEM);
	table_pages_left = TABLE_PAGES - 2;
	next_va = 0;
	assert_int_equal(iomap_init(&m, ROOM), -ENOMEM);
	assert_null(m.va);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_moves),
		T(test_large),
		T(test_refusals),
		T(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
