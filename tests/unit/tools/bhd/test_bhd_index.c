/* SOURCES: tools/bhd/index.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What is found by a number or a name: equal ones, and those of one bucket */
#include "tests/unit/test.h"
#include "tools/bhd/index.h"

static struct index x;

static void test_numbers(void **state)
{
	struct index_entry e[3];

	assert_null(index_first(&x, 5));
	index_add(&x, &e[0], 5);
	index_add(&x, &e[1], 5 + INDEX_BUCKETS);
	assert_ptr_equal(index_first(&x, 5), &e[0]);
	assert_ptr_equal(index_first(&x, 5 + INDEX_BUCKETS), &e[1]);
	assert_null(index_first(&x, 5 + 2 * INDEX_BUCKETS));
	index_add(&x, &e[2], 5);
	assert_ptr_equal(index_first(&x, 5), &e[2]);
	assert_ptr_equal(index_next(&e[2]), &e[0]);
	assert_null(index_next(&e[0]));
	index_remove(&x, &e[2]);
	assert_ptr_equal(index_first(&x, 5), &e[0]);
	index_remove(&x, &e[0]);
	assert_null(index_first(&x, 5));
	index_remove(&x, &e[1]);
	for (u32 i = 0; i < INDEX_BUCKETS; i++)
		assert_null(x.buckets[i]);
}

static void test_names(void **state)
{
	static struct index_entry e[1000];
	char name[16];

	for (u32 i = 0; i < ARRAY_SIZE(e); i++) {
		snprintf(name, sizeof(name), "guest%u", i);
		index_add(&x, &e[i], index_name(name));
	}
	for (u32 i = 0; i < ARRAY_SIZE(e); i++) {
		snprintf(name, sizeof(name), "guest%u", i);
		assert_ptr_equal(index_first(&x, index_name(name)), &e[i]);
	}
	assert_null(index_first(&x, index_name("guest")));
	/* No bucket has them all */
	for (u32 i = 0; i < INDEX_BUCKETS; i++) {
		u32 count = 0;

		for (struct index_entry *at = x.buckets[i]; at; at = at->next)
			count++;
		assert_true(count < 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
