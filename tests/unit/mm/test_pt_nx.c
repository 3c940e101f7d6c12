/* SOURCES: mm/pt.c mm/pt_format.c tests/unit/mm/table_pages.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries on a CPU that has no NX, or whose firmware keeps it off */
#include "arch/x86/cpu/features.h"
#include "mm/pt.h"
#include "mm/pt_format.h"
#include "tests/unit/mm/table_pages.h"
#include "tests/unit/test.h"

static u64 *root_entry(const struct page_table *pt, u32 level)
{
	u64 *table = pt->root;

	for (u32 l = 4; l > level; l--)
		table = hpa_to_virt(HPA(table[0] & PTE_ADDR));
	return table;
}

/* Bit 63 is reserved, for the host's own tables and for an NPT */
static void test_no_bit_63(void **state)
{
	static const struct pt_format *const formats[] = { &pt_host, &pt_npt };
	struct budget budget = { 0 };
	struct page_table pt;
	u32 attrs;
	u64 left;
	hpa_t hpa;

	table_pages_reset();
	cpu_features.nx = false;
	for (u32 i = 0; i < ARRAY_SIZE(formats); i++) {
		assert_int_equal(pt_init(&pt, formats[i], &budget, 3), 0);
		assert_int_equal(pt_map(&pt, 0x1000, HPA(0x5000), PAGE_SIZE,
					PT_R | PT_W),
				 0);
		assert_int_equal(
			pt_map(&pt, PAGE_2M, HPA(PAGE_2M), PAGE_2M, PT_R), 0);
		assert_int_equal(root_entry(&pt, 1)[1] & PTE_NX, 0);
		assert_int_equal(root_entry(&pt, 2)[1] & PTE_NX, 0);
		assert_int_equal(pt_query(&pt, 0x1000, &hpa, &attrs, &left), 0);
		assert_int_equal(attrs, PT_R | PT_W | PT_X);
		pt_destroy(&pt);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_bit_63),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
