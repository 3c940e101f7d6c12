/* SOURCES: */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The index that stays in its bounds without a branch */
#include "arch/x86/cpu/nospec.h"
#include "tests/unit/test.h"

static void test_bounds(void **state)
{
	static const u64 sizes[] = { 1, 2, 17, 4096, BIT(31), BIT(40), ~0ull };

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 size = sizes[i];

		assert_true(index_nospec(0, size) == 0);
		assert_true(index_nospec(size - 1, size) == size - 1);
		assert_true(index_nospec(size, size) == 0);
		assert_true(index_nospec(~0ull, size) == 0);
		assert_true(index_nospec(BIT(63), size) ==
			    (size > BIT(63) ? BIT(63) : 0));
	}
}

/* A constant size; a power of two is a mask of its own */
static void test_constant(void **state)
{
	for (u64 i = 0; i < 80; i++) {
		assert_true(index_nospec(i, 33) == (i < 33 ? i : 0));
		assert_true(index_nospec(i, 32) == i % 32);
		assert_true(index_nospec(i, 1) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_constant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
