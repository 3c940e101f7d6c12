/* SOURCES: mm/pt.c mm/pt_exec.c mm/pt_format.c tests/unit/mm/table_pages.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The table walker in its three formats; entries are compared with the
 * manuals' bits, and mappings with a model. Over 400 lines: one table serves
 * every case. */
#include "arch/x86/cpu/features.h"
#include "lib/errno.h"
#include "mm/pt.h"
#include "mm/pt_format.h"
#include "tests/unit/mm/table_pages.h"
#include "tests/unit/test.h"

static struct budget budget;

static int fresh(void **state)
{
	table_pages_reset();
	budget = (struct budget){ 0 };
	cpu_features.phys_bits = PHYS_BITS_MAX;
	return 0;
}

static u64 *table_at(const struct page_table *pt, u64 addr, u32 level)
{
	u64 *table = pt->root;

	for (u32 l = 4; l > level; l--)
		table = hpa_to_virt(HPA(
			table[addr >> (12 + 9 * (l - 1)) & 511] & PTE_ADDR));
	return &table[addr >> (12 + 9 * (level - 1)) & 511];
}

static void test_entries(void **state)
{
	struct page_table pt;

	assert_int_equal(pt_init(&pt, &pt_host, &budget, 3), 0);
	assert_int_equal(pt_map(&pt, 0x1000, HPA(0x5000), PAGE_SIZE,
				PT_R | PT_W | PT_GLOBAL),
			 0);
	assert_int_equal(*table_at(&pt, 0x1000, 1), 0x5000 | PTE_P | PTE_W |
							    PTE_A | PTE_D |
							    PTE_G | PTE_NX);
	assert_int_equal(pt_map(&pt, PAGE_2M, HPA(PAGE_2M), PAGE_2M,
				PT_R | PT_W | PT_UC),
			 0);
	assert_int_equal(*table_at(&pt, PAGE_2M, 2),
			 PAGE_2M | PTE_P | PTE_W | PTE_PWT | PTE_PCD | PTE_A |
				 PTE_D | PTE_PS | PTE_NX);
	pt_destroy(&pt);

	assert_int_equal(pt_init(&pt, &pt_npt, &budget, 3), 0);
	assert_int_equal(pt_map(&pt, 0, HPA(0), PAGE_1G, PT_R | PT_W | PT_X),
			 0);
	assert_int_equal(*table_at(&pt, 0, 3),
			 PTE_P | PTE_W | PTE_U | PTE_A | PTE_D | PTE_PS);
	assert_true(*table_at(&pt, 0, 4) & PTE_U);
	pt_destroy(&pt);

	assert_int_equal(pt_init(&pt, &pt_ept, &budget, 2), 0);
	assert_int_equal(
		pt_map(&pt, 0, HPA(PAGE_1G), PAGE_1G, PT_R | PT_W | PT_X), 0);
	assert_int_equal(*table_at(&pt, PAGE_2M, 2),
			 (PAGE_1G + PAGE_2M) | EPTE_R | EPTE_W | EPTE_X |
				 EPTE_TYPE_WB | EPTE_PS);
	assert_int_equal(pt_map(&pt, PAGE_1G, HPA(0xa0000), PAGE_SIZE,
				PT_R | PT_W | PT_UC),
			 0);
	assert_int_equal(*table_at(&pt, PAGE_1G, 1), 0xa0000 | EPTE_R | EPTE_W);
	/* Tables: R, W, X and an address, nothing else (no A with A/D off) */
	assert_int_equal(*table_at(&pt, 0, 4) & ~PTE_ADDR,
			 EPTE_R | EPTE_W | EPTE_X);
	pt_destroy(&pt);
	assert_int_equal(budget.used_pages, 0);
}

static void test_attrs(void **state)
{
	static const struct pt_format *const formats[] = { &pt_host, &pt_npt,
							   &pt_ept };
	static const u32 attrs[] = { PT_R, PT_R | PT_W, PT_R | PT_X,
				     PT_R | PT_W | PT_UC, PT_R | PT_W | PT_WC };
	for (u32 f = 0; f < ARRAY_SIZE(formats); f++) {
		for (u32 i = 0; i < ARRAY_SIZE(attrs); i++) {
			struct page_table pt;
			u64 left;
			u32 got;
			hpa_t hpa;

			assert_int_equal(pt_init(&pt, formats[f], &budget, 3),
					 0);
			assert_int_equal(pt_map(&pt, PAGE_SIZE, HPA(PAGE_SIZE),
						PAGE_2M, attrs[i]),
					 0);
			assert_int_equal(pt_map(&pt, PAGE_1G, HPA(PAGE_1G),
						PAGE_1G, attrs[i]),
					 0);
			assert_int_equal(
				pt_query(&pt, PAGE_SIZE + 5, &hpa, &got, &left),
				0);
			assert_int_equal(hpa.v, PAGE_SIZE + 5);
			assert_int_equal(got, attrs[i]);
			assert_int_equal(left, PAGE_SIZE - 5);
			assert_int_equal(
				pt_query(&pt, PAGE_1G + 5, &hpa, &got, &left),
				0);
			assert_int_equal(hpa.v, PAGE_1G + 5);
			assert_int_equal(got, attrs[i]);
			assert_int_equal(left, PAGE_1G - 5);
			pt_destroy(&pt);
		}
	}
}

/* Large leaves that are to be executable are not, but say so; the first fetch
 * makes small ones of what it touches */
static void test_exec_splits(void **state)
{
	const u64 rwx = EPTE_R | EPTE_W | EPTE_X | EPTE_TYPE_WB;
	struct page_table pt;
	hpa_t hpa;
	u32 attrs;
	u64 left;

	assert_int_equal(pt_init(&pt, &pt_ept, &budget, 3), 0);
	pt.split_exec = true;
	assert_int_equal(pt_map(&pt, 0, HPA(PAGE_1G), PAGE_1G + PAGE_2M,
				PT_R | PT_W | PT_X),
			 0);
	assert_int_equal(pt_map(&pt, PAGE_1G + PAGE_2M, HPA(0x5000), PAGE_SIZE,
				PT_R | PT_W | PT_X),
			 0);
	assert_int_equal(pt_map(&pt, 2 * PAGE_1G, HPA(0), PAGE_2M, PT_R), 0);
	assert_int_equal(*table_at(&pt, 0, 3), PAGE_1G | EPTE_R | EPTE_W |
						       EPTE_TYPE_WB | EPTE_PS |
						       EPTE_IGNORED);
	assert_int_equal(*table_at(&pt, PAGE_1G, 2) & EPTE_X, 0);
	assert_int_equal(*table_at(&pt, PAGE_1G + PAGE_2M, 1), 0x5000 | rwx);
	assert_int_equal(pt_query(&pt, 5, &hpa, &attrs, &left), 0);
	assert_int_equal(attrs, PT_R | PT_W | PT_X);

	assert_int_equal(pt_exec(&pt, 3 * PAGE_2M + 0x3123, false), -EAGAIN);
	assert_int_equal(pt_exec(&pt, 3 * PAGE_2M + 0x3123, true), 1);
	assert_int_equal(*table_at(&pt, 3 * PAGE_2M + 0x3000, 1),
			 (PAGE_1G + 3 * PAGE_2M + 0x3000) | rwx);
	assert_int_equal(*table_at(&pt, 2 * PAGE_2M, 2) & EPTE_X, 0);
	assert_int_equal(pt_query(&pt, 2 * PAGE_2M, &hpa, &attrs, &left), 0);
	assert_int_equal(hpa.v, PAGE_1G + 2 * PAGE_2M);
	assert_int_equal(attrs, PT_R | PT_W | PT_X);
	assert_int_equal(left, PAGE_2M);
	/* Again, a small page, what is not there, what is no code */
	assert_int_equal(pt_exec(&pt, 3 * PAGE_2M, true), 0);
	assert_int_equal(pt_exec(&pt, PAGE_1G + PAGE_2M, true), 0);
	assert_int_equal(pt_exec(&pt, 3 * PAGE_1G, true), -ENOENT);
	assert_int_equal(pt_exec(&pt, 2 * PAGE_1G, true), -EPERM);
	/* Without a table it stays as it is */
	table_pages_left = 0;
	assert_int_equal(pt_exec(&pt, 9 * PAGE_2M, true), -ENOMEM);
	assert_int_equal(pt_query(&pt, 9 * PAGE_2M, &hpa, &attrs, &left), 0);
	assert_int_equal(left, PAGE_2M);
	pt_destroy(&pt);
	assert_int_equal(budget.used_pages, 0);
}

/* Where nothing is to be split, large leaves are executable */
static void test_exec_large(void **state)
{
	struct page_table pt;

	assert_int_equal(pt_init(&pt, &pt_npt, &budget, 3), 0);
	assert_int_equal(pt_map(&pt, 0, HPA(0), PAGE_1G, PT_R | PT_W | PT_X),
			 0);
	assert_int_equal(pt_exec(&pt, PAGE_2M, true), 0);
	assert_int_equal(budget.used_pages, 2);
	pt_destroy(&pt);
}

static void test_split(void **state)
{
	struct page_table pt;
	hpa_t hpa;
	u32 attrs;
	u64 left;

	assert_int_equal(pt_init(&pt, &pt_npt, &budget, 3), 0);
	assert_int_equal(pt_map(&pt, 0, HPA(0), 4 * PAGE_1G, PT_R | PT_W), 0);
	assert_int_equal(budget.used_pages, 2);
	/* One page out of the middle of a 1 GiB leaf */
	assert_int_equal(pt_unmap(&pt, PAGE_1G + 0x3000, PAGE_SIZE), 0);
	assert_int_equal(budget.used_pages, 4);
	assert_int_equal(pt_query(&pt, PAGE_1G + 0x3000, &hpa, &attrs, &left),
			 -ENOENT);
	assert_int_equal(pt_query(&pt, PAGE_1G + 0x2fff, &hpa, &attrs, &left),
			 0);
	assert_int_equal(hpa.v, PAGE_1G + 0x2fff);
	assert_int_equal(pt_query(&pt, PAGE_1G + 0x4000, &hpa, &attrs, &left),
			 0);
	assert_int_equal(pt_query(&pt, PAGE_1G + PAGE_2M, &hpa, &attrs, &left),
			 0);
	assert_int_equal(left, PAGE_2M);
	/* What has no table yet, and what has one and is not mapped */
	assert_int_equal(pt_hole(&pt, PAGE_1G + 0x2fff), 0);
	assert_int_equal(pt_hole(&pt, PAGE_1G + 0x3fff), PAGE_SIZE);
	assert_int_equal(pt_hole(&pt, 5 * PAGE_1G), PAGE_1G);
	assert_int_equal(pt_hole(&pt, ~0ull), GIB(512));
	/* Overlap is refused whole, then the hole takes it */
	assert_int_equal(
		pt_map(&pt, PAGE_1G + 0x2000, HPA(0), 3 * PAGE_SIZE, PT_R),
		-EEXIST);
	assert_int_equal(pt_map(&pt, PAGE_1G + 0x3000, HPA(0), PAGE_SIZE, PT_R),
			 0);
	pt_destroy(&pt);
	assert_int_equal(budget.used_pages, 0);
}

static void test_no_memory(void **state)
{
	/* Whatever number of pages there are: all or nothing */
	for (u32 pages = 1; pages < 12; pages++) {
		struct page_table pt;
		u64 at, left;
		hpa_t hpa;
		u32 attrs;
		int err;

		table_pages_left = pages;
		assert_int_equal(pt_init(&pt, &pt_ept, &budget, 3), 0);
		at = PAGE_1G - 3 * PAGE_2M - PAGE_SIZE;
		err = pt_map(&pt, at, HPA(at), PAGE_1G + 5 * PAGE_2M, PT_R);
		if (err) {
			assert_int_equal(err, -ENOMEM);
			for (; at < 3 * PAGE_1G; at += PAGE_2M / 2)
				assert_int_equal(
					pt_query(&pt, at, &hpa, &attrs, &left),
					-ENOENT);
		}
		table_pages_left += TABLE_PAGES;
		pt_destroy(&pt);
	}
	fresh(state);
	/* A split that has no memory changes nothing */
	struct page_table pt;

	assert_int_equal(pt_init(&pt, &pt_ept, &budget, 3), 0);
	assert_int_equal(pt_map(&pt, 0, HPA(0), PAGE_1G, PT_R), 0);
	table_pages_left = 1;
	assert_int_equal(pt_unmap(&pt, PAGE_SIZE, PAGE_SIZE), -ENOMEM);
	table_pages_left = 0;
	for (u64 at = 0; at < PAGE_1G; at += PAGE_2M) {
		u64 left;
		hpa_t hpa;
		u32 attrs;

		assert_int_equal(pt_query(&pt, at, &hpa, &attrs, &left), 0);
		assert_int_equal(hpa.v, at);
	}
}

static void test_bad_arguments(void **state)
{
	struct page_table pt;

	assert_int_equal(pt_init(&pt, &pt_ept, &budget, 0), -EINVAL);
	assert_int_equal(pt_init(&pt, &pt_ept, &budget, 4), -EINVAL);
	assert_int_equal(pt_init(&pt, &pt_ept, &budget, 3), 0);
	assert_int_equal(pt_map(&pt, 0, HPA(0), 0, PT_R), -EINVAL);
	assert_int_equal(pt_map(&pt, 1, HPA(0), PAGE_SIZE, PT_R), -EINVAL);
	assert_int_equal(pt_map(&pt, 0, HPA(1), PAGE_SIZE, PT_R), -EINVAL);
	/* Writable but not readable is a misconfiguration */
	assert_int_equal(pt_map(&pt, 0, HPA(0), PAGE_SIZE, PT_W), -EINVAL);
	assert_int_equal(pt_map(&pt, 0, HPA(BIT(52)), PAGE_SIZE, PT_R),
			 -EINVAL);
	assert_int_equal(
		pt_map(&pt, BIT(48) - PAGE_SIZE, HPA(0), 2 * PAGE_SIZE, PT_R),
		-EINVAL);
	assert_int_equal(pt_unmap(&pt, 5, PAGE_SIZE), -EINVAL);
	/* Nothing there: fine */
	assert_int_equal(pt_unmap(&pt, 0, GIB(512)), 0);
	pt_destroy(&pt);
}

/* Bits above the CPU's width are reserved in each format */
static void test_physical_width(void **state)
{
	static const struct pt_format *const formats[] = { &pt_host, &pt_npt,
							   &pt_ept };

	cpu_features.phys_bits = 40;
	for (u32 f = 0; f < ARRAY_SIZE(formats); f++) {
		struct page_table pt;

		assert_int_equal(pt_init(&pt, formats[f], &budget, 3), 0);
		assert_int_equal(pt_map(&pt, 0, HPA(BIT(40) - PAGE_SIZE),
					PAGE_SIZE, PT_R),
				 0);
		assert_int_equal(pt_map(&pt, PAGE_2M, HPA(BIT(40) - PAGE_SIZE),
					2 * PAGE_SIZE, PT_R),
				 -EINVAL);
		assert_int_equal(
			pt_map(&pt, PAGE_2M, HPA(BIT(40)), PAGE_SIZE, PT_R),
			-EINVAL);
		assert_int_equal(
			pt_map(&pt, PAGE_2M, HPA(BIT(44)), PAGE_2M, PT_R),
			-EINVAL);
		assert_int_equal(pt_map(&pt, PAGE_2M, HPA(BIT(40) - PAGE_1G),
					PAGE_1G, PT_R),
				 0);
		pt_destroy(&pt);
	}
}

/* Upper half of the address space, and hand-made leaves */
static void test_upper_half(void **state)
{
	struct page_table pt;
	u64 va = 0xffffd00000000000ull, left, *slots;
	hpa_t hpa;
	u32 attrs;

	assert_int_equal(pt_init(&pt, &pt_host, &budget, 2), 0);
	slots = pt_slots_4k(&pt, va);
	assert_non_null(slots);
	slots[3] = 0x7000 | PTE_P | PTE_NX;
	assert_int_equal(pt_query(&pt, va + 0x3123, &hpa, &attrs, &left), 0);
	assert_int_equal(hpa.v, 0x7123);
	assert_ptr_equal(slots, pt_slots_4k(&pt, va + PAGE_SIZE));
	assert_int_equal(pt_map(&pt, va + PAGE_2M, HPA(0), PAGE_2M, PT_R), 0);
	assert_null(pt_slots_4k(&pt, va + PAGE_2M));
	pt_destroy(&pt);
	assert_int_equal(budget.used_pages, 0);
}

#define MODEL_PAGES 4096u /* 16 MiB */

static void test_random(void **state)
{
	static u64 model[MODEL_PAGES]; /* hpa + 1, 0: unmapped */
	struct page_table pt;

	memset(model, 0, sizeof(model));
	assert_int_equal(pt_init(&pt, &pt_npt, &budget, 2), 0);
	srand(4);
	for (u32 n = 0; n < 3000; n++) {
		u32 first = (u32)rand() % MODEL_PAGES;
		u32 count = 1 + (u32)rand() % 1500;
		u64 hpa = (u64)(rand() % 16) * PAGE_2M + first * PAGE_SIZE;
		bool taken = false;

		if (rand() % 4 == 0)
			first &= ~511u;
		count = MIN(count, MODEL_PAGES - first);
		if (rand() % 2) {
			assert_int_equal(pt_unmap(&pt, first * PAGE_SIZE,
						  count * PAGE_SIZE),
					 0);
			memset(&model[first], 0, count * sizeof(model[0]));
			continue;
		}
		for (u32 i = first; i < first + count; i++)
			taken |= model[i] != 0;
		assert_int_equal(pt_map(&pt, first * PAGE_SIZE, HPA(hpa),
					count * PAGE_SIZE, PT_R | PT_W),
				 taken ? -EEXIST : 0);
		for (u32 i = 0; !taken && i < count; i++)
			model[first + i] = hpa + i * PAGE_SIZE + 1;
	}
	for (u32 i = 0; i < MODEL_PAGES; i++) {
		u64 left;
		hpa_t hpa;
		u32 attrs;
		int err = pt_query(&pt, i * PAGE_SIZE, &hpa, &attrs, &left);

		assert_int_equal(err, model[i] ? 0 : -ENOENT);
		if (!err)
			assert_int_equal(hpa.v, model[i] - 1);
	}
	pt_destroy(&pt);
	assert_int_equal(budget.used_pages, 0);
}

/* In steps, each of no more tables than it may */
static void test_destroy_some(void **state)
{
	struct page_table pt;
	u64 pages, steps = 0;

	assert_int_equal(pt_init(&pt, &pt_ept, &budget, 2), 0);
	for (u64 at = 0; at < 9 * PAGE_2M; at += PAGE_2M)
		assert_int_equal(
			pt_map(&pt, at, HPA(at), PAGE_SIZE, PT_R | PT_W), 0);
	pages = budget.used_pages;
	while (!pt_destroy_some(&pt, 2)) {
		assert_int_equal(budget.used_pages, pages - 2);
		pages = budget.used_pages;
		steps++;
	}
	assert_int_equal(budget.used_pages, 0);
	assert_in_range(steps, 5, 6);
	assert_true(pt_destroy_some(&pt, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_destroy_some, fresh),
		cmocka_unit_test_setup(test_entries, fresh),
		cmocka_unit_test_setup(test_attrs, fresh),
		cmocka_unit_test_setup(test_exec_splits, fresh),
		cmocka_unit_test_setup(test_exec_large, fresh),
		cmocka_unit_test_setup(test_split, fresh),
		cmocka_unit_test_setup(test_no_memory, fresh),
		cmocka_unit_test_setup(test_bad_arguments, fresh),
		cmocka_unit_test_setup(test_physical_width, fresh),
		cmocka_unit_test_setup(test_upper_half, fresh),
		cmocka_unit_test_setup(test_random, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
