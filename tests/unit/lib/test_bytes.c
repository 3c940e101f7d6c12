/* SOURCES: */
/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/bytes.h at each size, and at the edges of each */
#include "lib/bytes.h"
#include "tests/unit/test.h"

static void test_ones(void **state)
{
	assert_int_equal(ones_of(1), 0xff);
	assert_int_equal(ones_of(2), 0xffff);
	assert_int_equal(ones_of(3), 0xffffff);
	assert_int_equal(ones_of(4), 0xffffffff);
	assert_int_equal(ones_of(7), 0xffffffffffffff);
	assert_int_equal(ones_of(8), ~0ull);
}

static void test_merge(void **state)
{
	const u64 old = 0x1122334455667788, value = 0xa1a2a3a4a5a6a7a8;

	assert_int_equal(merge_bits(old, value, 0), old);
	assert_int_equal(merge_bits(old, value, ~0ull), value);
	assert_int_equal(merge_bits(old, value, 0xff00), 0x112233445566a788);
	assert_int_equal(merge_bytes(old, value, 1), 0x11223344556677a8);
	assert_int_equal(merge_bytes(old, value, 2), 0x112233445566a7a8);
	assert_int_equal(merge_bytes(old, value, 4), 0x11223344a5a6a7a8);
	assert_int_equal(merge_bytes(old, value, 8), value);
}

static void test_sign(void **state)
{
	assert_int_equal(sign_extend(0x7f, 1), 0x7f);
	assert_int_equal(sign_extend(0x80, 1), -0x80);
	assert_int_equal(sign_extend(0x12ff, 1), -1);
	assert_int_equal(sign_extend(0x8000, 2), -0x8000);
	assert_int_equal(sign_extend(0x7fffffff, 4), 0x7fffffff);
	assert_int_equal(sign_extend(0x80000000, 4), -0x80000000ll);
	assert_int_equal(sign_extend(~0ull, 8), -1);
	assert_int_equal(sign_extend_bits(1ull << 47, 48), -(1ll << 47));
	assert_int_equal(sign_extend_bits(1ull << 47, 49), 1ll << 47);
	assert_int_equal(sign_extend_bits(1, 1), -1);
	assert_int_equal(sign_extend_bits(2, 1), 0);
}

static void test_sum(void **state)
{
	u8 bytes[100], sum = 0;

	for (u32 i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i * 37 + 200);
	for (u32 n = 0; n <= sizeof(bytes); n++) {
		assert_int_equal(sum_of_bytes(bytes, n), sum);
		if (n < sizeof(bytes))
			sum = (u8)(sum + bytes[n]);
	}
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(sum_of_bytes(bytes + 3, 97), (u8)(97 * 255));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ones),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
