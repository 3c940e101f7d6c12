/* SOURCES: lib/string.c lib/printf.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* bh_snprintf() against the host's own on what both know, and its edges */
#include "lib/printf.h"
#include "lib/types.h"
#include "tests/unit/test.h"

/* Same text and same length as the C library */
#define SAME(...)                                                              \
	do {                                                                   \
		char a[256], b[256];                                           \
		int na = bh_snprintf(a, sizeof(a), __VA_ARGS__);               \
		int nb = snprintf(b, sizeof(b), __VA_ARGS__);                  \
                                                                               \
		assert_string_equal(a, b);                                     \
		assert_int_equal(na, nb);                                      \
	} while (0)

static void test_integers(void **state)
{
	static const int values[] = { 0, 1, -1, 42, -42, INT32_MAX, INT32_MIN };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		SAME("%d", values[i]);
		SAME("%i|%5d|%-5d|%05d|%+d|% d", values[i], values[i],
		     values[i], values[i], values[i], values[i]);
		SAME("%u %x %X %#x", values[i], values[i], values[i],
		     values[i]);
		SAME("%.4d|%8.4d|%-8.4d|%08x", values[i], values[i], values[i],
		     values[i]);
		SAME("%*d|%-*d|%.*d", 7, values[i], 7, values[i], 3, values[i]);
		SAME("%hhd %hd %hhu %hu", values[i], values[i], values[i],
		     values[i]);
	}
}

static void test_long(void **state)
{
	SAME("%lld %llu %llx", (long long)INT64_MIN, (long long unsigned)~0ull,
	     0x123456789abcdefull);
	SAME("%ld %lu %lx %zu %zx", -5l, 5ul, ~0ul, (size_t)7, SIZE_MAX);
	SAME("%016llx|%#18llx|%-20llu|", 0xffull, 0xffull, 12ull);
}

static void test_strings(void **state)
{
	char unterminated[3] = { 'a', 'b', 'c' };

	SAME("%s|%10s|%-10s|%.2s|%10.2s|%.0s", "text", "text", "text", "text",
	     "text", "text");
	SAME("%c%c|%3c|%-3c|", 'a', 'b', 'c', 'd');
	SAME("100%% %s", "sure");
	SAME("%.*s", (int)sizeof(unterminated), unterminated);
	SAME("%*s|%-*s|%*s", 6, "x", 6, "x", -6, "x");
}

static void test_precision_zero(void **state)
{
	SAME("[%.0d] [%.0u] [%5.0x]", 0, 0, 0);
	SAME("[%.0d] [%.1d]", 1, 0);
}

static void test_cut(void **state)
{
	char buf[8];
	char none = 'x';

	assert_int_equal(bh_snprintf(buf, sizeof(buf), "%s", "0123456789"), 10);
	assert_string_equal(buf, "0123456");
	assert_int_equal(bh_snprintf(buf, 1, "%d", 12345), 5);
	assert_string_equal(buf, "");
	assert_int_equal(bh_snprintf(&none, 0, "%d", 12345), 5);
	assert_int_equal(none, 'x');
	assert_int_equal(bh_snprintf(NULL, 0, "%s", "abc"), 3);
}

static int format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = bh_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

static void test_pointer_and_null(void **state)
{
	char buf[64];
	const char *none = NULL;

	bh_snprintf(buf, sizeof(buf), "%p", (void *)0x1234);
	assert_string_equal(buf, "0x1234");
	format(buf, sizeof(buf), "%s", none);
	assert_string_equal(buf, "(null)");
}

static void test_odd_formats(void **state)
{
	char buf[64];

	assert_int_equal(format(buf, sizeof(buf), "a%"), 1);
	assert_string_equal(buf, "a");
	format(buf, sizeof(buf), "%k");
	assert_string_equal(buf, "k");
	format(buf, sizeof(buf), "%5");
	assert_string_equal(buf, "");
}

static void test_huge_width_is_bounded(void **state)
{
	char buf[16];

	assert_true(format(buf, sizeof(buf), "%999999999d", 1) <= 8192);
	assert_true(format(buf, sizeof(buf), "%*d", INT32_MIN, 1) <= 8192);
	assert_true(format(buf, sizeof(buf), "%.999999999d", 1) <= 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_pointer_and_null),
		cmocka_unit_test(test_precision_zero),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_odd_formats),
		cmocka_unit_test(test_huge_width_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
