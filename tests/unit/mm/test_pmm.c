/* SOURCES: mm/pmm.c mm/kmem.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The page pool and the slabs, on a pool that is a host array */
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/pmm.h"
#include "tests/unit/fakes/panic.h"
#include "tests/unit/test.h"

#define POOL_BYTES MIB(4)
#define POOL_HPA   MIB(64)

static u8 pool[POOL_BYTES] __aligned(MIB(2));

hpa_t virt_to_hpa(const void *va)
{
	return HPA((u64)((const u8 *)va - pool) + POOL_HPA);
}

void *hpa_to_virt(hpa_t hpa)
{
	return pool + (hpa.v - POOL_HPA);
}

/* Once: the pool only grows. Two regions, as after hostmap_grow_pool(). */
static int setup(void **state)
{
	memset(pool, 0xaa, sizeof(pool));
	pmm_init(HPA(POOL_HPA), MIB(2));
	pmm_init(HPA(POOL_HPA + MIB(2)), MIB(2));
	return 0;
}

static bool all_zero(const u8 *p, u64 bytes)
{
	for (u64 i = 0; i < bytes; i++)
		if (p[i])
			return false;
	return true;
}

static void test_alloc_free(void **state)
{
	u64 before = pmm_free_pages();
	struct budget b = { 0 };
	u8 *p = pmm_alloc(&b, 3), *q = pmm_alloc(&b, 0);

	assert_non_null(p);
	assert_non_null(q);
	assert_true(IS_ALIGNED(virt_to_hpa(p).v, 8 * PAGE_SIZE));
	assert_true(all_zero(p, 8 * PAGE_SIZE) && all_zero(q, PAGE_SIZE));
	assert_int_equal(b.used_pages, 9);
	assert_int_equal(pmm_free_pages(), before - 9);
	memset(p, 0xff, 8 * PAGE_SIZE);
	pmm_free(&b, p, 3);
	pmm_free(&b, q, 0);
	pmm_free(&b, NULL, 0);
	assert_int_equal(b.used_pages, 0);
	assert_int_equal(pmm_free_pages(), before);
	assert_null(pmm_alloc(&b, 10));
}

/* Taken as it is, it is all the same charged, and not free */
static void test_as_is(void **state)
{
	struct budget b = { .max_pages = 8 };
	u8 *p = pmm_alloc(&b, 3), *q;

	memset(p, 0x5a, 8 * PAGE_SIZE);
	pmm_free(&b, p, 3);
	q = pmm_alloc_as_is(&b, 3);
	assert_ptr_equal(q, p);
	assert_int_equal(q[PAGE_SIZE], 0x5a);
	assert_int_equal(q[8 * PAGE_SIZE - 1], 0x5a);
	assert_int_equal(b.used_pages, 8);
	assert_null(pmm_alloc_as_is(&b, 0));
	pmm_free(&b, q, 3);
	p = pmm_alloc(&b, 3);
	assert_true(all_zero(p, 8 * PAGE_SIZE));
	pmm_free(&b, p, 3);
}

static void test_budget(void **state)
{
	struct budget b = { .max_pages = 4 };
	void *p = pmm_alloc(&b, 1), *q;

	assert_non_null(p);
	assert_null(pmm_alloc(&b, 2));
	q = pmm_alloc(&b, 1);
	assert_non_null(q);
	assert_null(pmm_alloc(&b, 0));
	assert_int_equal(b.used_pages, 4);
	pmm_free(&b, p, 1);
	pmm_free(&b, q, 1);
}

/* Take everything in pieces, give it back in disorder: it must join again */
/* A greedy budget empties the pool, but for what is set aside for another */
static void test_reserve(void **state)
{
	struct budget greedy = { 0 }, careful = { 0 };
	u64 before = pmm_free_pages(), spare = pmm_spare_pages();
	static void *taken[POOL_BYTES / PAGE_SIZE];
	void *block, *page;
	u64 n = 0;

	assert_int_equal(pmm_reserve(&careful, spare + 1), -ENOMEM);
	assert_int_equal(pmm_reserve(&careful, 12), 0);
	assert_int_equal(pmm_spare_pages(), spare - 12);
	/* As long as there are others it takes those */
	page = pmm_alloc(&careful, 0);
	assert_int_equal(careful.reserved_pages, 12);
	while ((taken[n] = pmm_alloc(&greedy, 0)))
		n++;
	assert_int_equal(pmm_free_pages(), 12);
	assert_int_equal(pmm_spare_pages(), 0);
	assert_null(pmm_alloc(&greedy, 3));
	assert_int_equal(pmm_reserve(&greedy, 1), -ENOMEM);
	for (u32 i = 0; i < 100; i++) {
		block = pmm_alloc(&careful, 3);
		assert_non_null(block);
		assert_int_equal(careful.reserved_pages, 4);
		assert_null(pmm_alloc(&greedy, 0));
		assert_null(pmm_alloc(&careful, 3));
		/* Freed, they are set aside again */
		pmm_free(&careful, block, 3);
		assert_int_equal(careful.reserved_pages, 12);
		assert_null(pmm_alloc(&greedy, 0));
	}
	block = pmm_alloc(&careful, 3);
	pmm_free(&careful, page, 0); /* counts as one of those drawn */
	assert_int_equal(careful.reserved_pages, 5);
	assert_int_equal(pmm_reserve_move(&careful, &greedy, 3), 3);
	assert_int_equal(careful.reserved_pages, 2);
	assert_int_equal(greedy.reserved_pages, 3);
	assert_int_equal(pmm_reserve_move(&greedy, &careful, 9), 3);
	assert_int_equal(careful.reserved_pages, 5);
	pmm_unreserve(&careful);
	page = pmm_alloc(&greedy, 0);
	assert_non_null(page);
	pmm_free(&greedy, page, 0);
	pmm_free(&careful, block, 3);
	assert_int_equal(careful.reserved_pages, 0);
	while (n)
		pmm_free(&greedy, taken[--n], 0);
	assert_int_equal(pmm_free_pages(), before);
	assert_int_equal(pmm_spare_pages(), spare);
}

static void test_exhaust(void **state)
{
	static void *pages[POOL_BYTES / PAGE_SIZE];
	struct budget b = { 0 };
	u64 before = pmm_free_pages();
	u32 n = 0;

	while ((pages[n] = pmm_alloc(&b, 0)))
		n++;
	assert_int_equal(n, before);
	assert_int_equal(pmm_free_pages(), 0);
	srand(2);
	for (u32 i = n - 1; i > 0; i--) {
		u32 j = (u32)rand() % (i + 1);
		void *t = pages[i];

		pages[i] = pages[j];
		pages[j] = t;
	}
	while (n)
		pmm_free(&b, pages[--n], 0);
	assert_int_equal(pmm_free_pages(), before);
	/* 1 MiB pieces exist again: the upper half of each region */
	pages[0] = pmm_alloc(&b, 8);
	pages[1] = pmm_alloc(&b, 8);
	assert_non_null(pages[0]);
	assert_non_null(pages[1]);
	pmm_free(&b, pages[0], 8);
	pmm_free(&b, pages[1], 8);
}

#define LIVE 64

static void test_random(void **state)
{
	struct {
		u8 *p;
		u32 order;
	} live[LIVE] = { 0 };
	struct budget b = { 0 };
	u64 before = pmm_free_pages();

	srand(3);
	for (u32 n = 0; n < 20000; n++) {
		u32 i = (u32)rand() % LIVE;

		if (live[i].p) {
			u64 bytes = PAGE_SIZE << live[i].order;

			/* Nobody else wrote to it */
			assert_int_equal(live[i].p[0], i);
			assert_int_equal(live[i].p[bytes - 1], i);
			pmm_free(&b, live[i].p, live[i].order);
			live[i].p = NULL;
			continue;
		}
		live[i].order = (u32)rand() % 6;
		live[i].p = pmm_alloc(&b, live[i].order);
		if (live[i].p)
			memset(live[i].p, (int)i, PAGE_SIZE << live[i].order);
	}
	for (u32 i = 0; i < LIVE; i++)
		pmm_free(&b, live[i].p, live[i].order);
	assert_int_equal(pmm_free_pages(), before);
	assert_int_equal(b.used_pages, 0);
}

static void test_double_free(void **state)
{
	struct budget b = { .used_pages = 8 };
	void *p = pmm_alloc(&b, 0);

	pmm_free(&b, p, 0);
	expect_panic(pmm_free(&b, p, 0));
}

static void test_kmem(void **state)
{
	static const size_t sizes[] = { 1,    32,   33,   64,   100, 500,
					1000, 1344, 1345, 1984, 2048 };
	struct budget a = { 0 }, b = { 0 };
	u64 before = pmm_free_pages();
	u8 *p[ARRAY_SIZE(sizes)][8];

	for (u32 s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (u32 i = 0; i < 8; i++) {
			p[s][i] = kmem_alloc(i & 1 ? &a : &b, sizes[s]);
			assert_non_null(p[s][i]);
			assert_true(all_zero(p[s][i], sizes[s]));
			memset(p[s][i], (int)(s * 8 + i), sizes[s]);
			if (sizes[s] >= 64)
				assert_true(IS_ALIGNED((u64)p[s][i], 64));
		}
	}
	assert_true(a.used_pages && b.used_pages);
	for (u32 s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (u32 i = 0; i < 8; i++) {
			assert_int_equal(p[s][i][sizes[s] - 1],
					 (u8)(s * 8 + i));
			kmem_free(i & 1 ? &a : &b, p[s][i], sizes[s]);
		}
	}
	assert_int_equal(a.used_pages + b.used_pages, 0);
	assert_int_equal(pmm_free_pages(), before);
	assert_null(kmem_alloc(&a, 0));
	kmem_free(&a, NULL, 5);
	kmem_free(&a, NULL, 5000);
}

/* Larger objects are pages of their own, charged and given back as such */
static void test_kmem_large(void **state)
{
	struct budget b = { .max_pages = 4 };
	u8 *p = kmem_alloc(&b, KMEM_MAX + 1), *q;

	assert_non_null(p);
	assert_int_equal(b.used_pages, 1);
	assert_true(IS_ALIGNED((u64)p, PAGE_SIZE));
	q = kmem_alloc(&b, PAGE_SIZE + 1);
	assert_non_null(q);
	assert_int_equal(b.used_pages, 3);
	assert_null(kmem_alloc(&b, PAGE_SIZE + 1));
	kmem_free(&b, p, KMEM_MAX + 1);
	kmem_free(&b, q, PAGE_SIZE + 1);
	assert_int_equal(b.used_pages, 0);
}

static void test_order_of_bytes(void **state)
{
	assert_int_equal(pmm_order(1), 0);
	assert_int_equal(pmm_order(PAGE_SIZE), 0);
	assert_int_equal(pmm_order(PAGE_SIZE + 1), 1);
	assert_int_equal(pmm_order(2 * PAGE_SIZE), 1);
	assert_int_equal(pmm_order(3 * PAGE_SIZE), 2);
	assert_int_equal(pmm_order(MIB(2)), 9);
	assert_int_equal(pmm_order(MIB(2) + 1), 10);
}

static void test_bytes(void **state)
{
	struct budget b = { 0 };
	u8 *p = pmm_alloc_bytes(&b, 2 * PAGE_SIZE + 1);

	assert_true(IS_ALIGNED((u64)p, 4 * PAGE_SIZE));
	assert_int_equal(b.used_pages, 4);
	pmm_free_bytes(&b, p, 2 * PAGE_SIZE + 1);
	assert_int_equal(b.used_pages, 0);
	pmm_free_bytes(&b, NULL, PAGE_SIZE);
}

static void test_kmem_budget(void **state)
{
	struct budget b = { .max_pages = 1 };
	void *objects[200];
	u32 n = 0;

	while (n < 200 && (objects[n] = kmem_alloc(&b, 64)))
		n++;
	assert_int_equal(n, (PAGE_SIZE - 64) / 64);
	while (n)
		kmem_free(&b, objects[--n], 64);
	assert_int_equal(b.used_pages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc_free),
		cmocka_unit_test(test_as_is),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_exhaust),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_order_of_bytes),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_kmem),
		cmocka_unit_test(test_kmem_large),
		cmocka_unit_test(test_kmem_budget),
		/* Last: leaves the lock taken */
		cmocka_unit_test(test_double_free),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
