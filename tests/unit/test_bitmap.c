/* SOURCES: lib/bitmap.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Bit arrays against an array of bools */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bitmap.h"

#define BITS_MAX 200

static u64 map[BITMAP_WORDS(BITS_MAX)];
static bool model[BITS_MAX];

static u64 model_next(u64 from, bool value)
{
	while (from < BITS_MAX && model[from] != value)
		from++;
	return MIN(from, (u64)BITS_MAX);
}

static u64 model_run(u64 count)
{
	for (u64 i = 0; i + count <= BITS_MAX; i++) {
		u64 n = 0;

		while (n < count && !model[i + n])
			n++;
		if (n == count)
			return i;
	}
	return BITS_MAX;
}

static void compare(void)
{
	u64 count = 0;

	for (u64 i = 0; i < BITS_MAX; i++) {
		assert_int_equal(bit_test(map, i), model[i]);
		assert_int_equal(bitmap_next_set(map, BITS_MAX, i),
				 model_next(i, true));
		assert_int_equal(bitmap_next_clear(map, BITS_MAX, i),
				 model_next(i, false));
		count += model[i];
	}
	assert_int_equal(bitmap_count(map, BITS_MAX), count);
	for (u64 n = 1; n < BITS_MAX; n += 9)
		assert_int_equal(bitmap_find_clear_run(map, BITS_MAX, n),
				 model_run(n));
}

static void test_ranges(void **state)
{
	(void)state;
	srand(1);
	for (u32 round = 0; round < 300; round++) {
		u64 first = (u64)rand() % BITS_MAX;
		u64 count = (u64)rand() % (BITS_MAX - first + 1);
		bool value = rand() & 1;

		if (value)
			bitmap_set(map, first, count);
		else
			bitmap_clear(map, first, count);
		for (u64 i = 0; i < count; i++)
			model[first + i] = value;
		compare();
	}
}

static void test_single_bits(void **state)
{
	u64 m[2] = { 0 };

	(void)state;
	bit_set(m, 63);
	bit_set(m, 64);
	assert_int_equal(m[0], BIT(63));
	assert_int_equal(m[1], 1);
	bit_clear(m, 63);
	assert_int_equal(m[0], 0);
}

static void test_edges(void **state)
{
	u64 m[1] = { 0 };

	(void)state;
	assert_int_equal(bitmap_next_set(m, 64, 64), 64);
	assert_int_equal(bitmap_next_set(m, 0, 0), 0);
	assert_int_equal(bitmap_find_clear_run(m, 64, 65), 64);
	assert_int_equal(bitmap_find_clear_run(m, 64, 64), 0);
	assert_int_equal(bitmap_count(m, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_single_bits),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
