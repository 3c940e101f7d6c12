/* SOURCES: */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The freestanding string functions against the host's. lib/string.c leaves
 * them to the host in a hosted build, so it is included here, with its own ones
 * turned on and under other names.
 */
#include "lib/types.h"
#include "tests/unit/test.h"

#define memcpy         bh_memcpy
#define memmove        bh_memmove
#define memset         bh_memset
#define memcmp         bh_memcmp
#define strlen         bh_strlen
#define strnlen        bh_strnlen
#define strcmp         bh_strcmp
#define strncmp        bh_strncmp
#define strchr         bh_strchr
#define LIB_STRING_OWN 1
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

#define SIZE 64

static void fill(u8 *buf)
{
	for (u32 i = 0; i < SIZE; i++)
		buf[i] = (u8)(i * 7 + 3);
}

static void test_memmove_every_overlap(void **state)
{
	for (u32 from = 0; from < 16; from++) {
		for (u32 to = 0; to < 16; to++) {
			for (u32 n = 0; n <= SIZE - 16; n++) {
				u8 a[SIZE], b[SIZE];

				fill(a);
				fill(b);
				assert_ptr_equal(
					bh_memmove(a + to, a + from, n),
					a + to);
				memmove(b + to, b + from, n);
				assert_memory_equal(a, b, SIZE);
			}
		}
	}
}

static void test_memcpy_memset(void **state)
{
	u8 a[SIZE], b[SIZE];

	fill(a);
	assert_ptr_equal(bh_memset(b, 0xa5, SIZE), b);
	for (u32 i = 0; i < SIZE; i++)
		assert_int_equal(b[i], 0xa5);
	bh_memcpy(b + 1, a + 1, SIZE - 2);
	assert_int_equal(b[0], 0xa5);
	assert_int_equal(b[SIZE - 1], 0xa5);
	assert_memory_equal(a + 1, b + 1, SIZE - 2);
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void test_compare(void **state)
{
	static const char *const words[] = { "",    "a",    "ab",   "abc",
					     "abd", "\xff", "\x7f", "b" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(words); j++) {
			const char *a = words[i], *b = words[j];

			assert_int_equal(sign(bh_strcmp(a, b)),
					 sign(strcmp(a, b)));
			for (size_t n = 0; n < 4; n++)
				assert_int_equal(sign(bh_strncmp(a, b, n)),
						 sign(strncmp(a, b, n)));
		}
	}
	assert_int_equal(sign(bh_memcmp("\xff", "\x01", 1)), 1);
	assert_int_equal(bh_memcmp("abc", "abd", 2), 0);
}

static void test_lengths(void **state)
{
	char three[3] = { 'a', 'b', 'c' };

	assert_int_equal(bh_strlen("four"), 4);
	assert_int_equal(bh_strnlen(three, sizeof(three)), 3);
	assert_int_equal(bh_strnlen("a", 10), 1);
	assert_ptr_equal(bh_strchr(three, 'b'), three + 1);
	assert_null(bh_strchr("abc", 'x'));
	assert_int_equal(*bh_strchr("abc", '\0'), 0);
}

static void test_equal_nocase(void **state)
{
	assert_true(str_equal_nocase("OVMF.fd", "ovmf.FD", 64));
	assert_false(str_equal_nocase("OVMF.fd", "ovmf.fd2", 64));
	assert_false(str_equal_nocase("a[", "a{", 64)); /* no letters */
	assert_true(str_equal_nocase("abX", "ABy", 2));
	assert_true(str_equal_nocase("", "", 64));
}

static void test_str_copy(void **state)
{
	char buf[4];

	assert_true(str_copy(buf, "abc", sizeof(buf)));
	assert_string_equal(buf, "abc");
	assert_false(str_copy(buf, "abcd", sizeof(buf)));
	assert_string_equal(buf, "abc");
	assert_true(str_copy(buf, "", sizeof(buf)));
	assert_string_equal(buf, "");
	buf[0] = 'x';
	assert_false(str_copy(buf, "abc", 0));
	assert_int_equal(buf[0], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memmove_every_overlap),
		cmocka_unit_test(test_memcpy_memset),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_str_copy),
		cmocka_unit_test(test_equal_nocase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
