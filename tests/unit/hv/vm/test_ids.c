/* SOURCES: hv/vm/ids.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The ids of guests that come and go in any order are listed in theirs */
#include "hv/vm/ids.h"

#include "hv/core/vm.h"
#include "tests/unit/test.h"

static int empty(void **state)
{
	u32 more;
	u64 id;

	while ((id = ids_above(0, &more)))
		ids_remove(id);
	assert_int_equal(ids_count(), 0);
	assert_int_equal(more, 0);
	return 0;
}

static void test_order(void **state)
{
	u32 more;

	ids_add(7);
	ids_add(1029);
	ids_add(3);
	assert_int_equal(ids_count(), 3);
	assert_int_equal(ids_above(0, &more), 3);
	assert_int_equal(more, 2);
	assert_int_equal(ids_above(3, &more), 7);
	assert_int_equal(more, 1);
	assert_int_equal(ids_above(6, &more), 7);
	assert_int_equal(ids_above(7, &more), 1029);
	assert_int_equal(more, 0);
	assert_int_equal(ids_above(1029, &more), 0);
	assert_int_equal(ids_above(~0ull, &more), 0);
	assert_int_equal(more, 0);
}

static void test_gone(void **state)
{
	u32 more;

	ids_add(7);
	ids_add(3);
	ids_add(9);
	ids_remove(7);
	ids_remove(8);
	ids_remove(0);
	ids_remove(~0ull);
	assert_int_equal(ids_count(), 2);
	assert_int_equal(ids_above(3, &more), 9);
	ids_remove(9);
	ids_remove(9);
	assert_int_equal(ids_above(3, &more), 0);
	assert_int_equal(ids_above(0, &more), 3);
}

/* As many as there can be, against a table of them */
static void test_many(void **state)
{
	static bool there[4 * VM_MAX];
	u32 seed = 1, more, left;
	u64 id;

	memset(there, 0, sizeof(there));
	for (u32 n = 0; n < 20 * VM_MAX; n++) {
		u32 some;

		seed = seed * 1103515245u + 12345u;
		some = seed >> 8 & (ARRAY_SIZE(there) - 1);
		if (!some)
			continue;
		if (there[some])
			ids_remove(some);
		else if (ids_count() < VM_MAX)
			ids_add(some);
		else
			continue;
		there[some] = !there[some];
	}
	left = ids_count();
	assert_true(left > VM_MAX / 2);
	id = 0;
	for (u32 n = 1; n < ARRAY_SIZE(there); n++) {
		if (!there[n])
			continue;
		id = ids_above(id, &more);
		assert_int_equal(id, n);
		assert_int_equal(more, --left);
	}
	assert_int_equal(left, 0);
	assert_int_equal(ids_above(id, &more), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, empty),
		cmocka_unit_test_setup(test_gone, empty),
		cmocka_unit_test_setup(test_many, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
