/* SOURCES: hv/console/filter.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's bytes as harmless text: controls, control sequences, UTF-8 */
#include "hv/console/filter.h"
#include "tests/unit/test.h"

static char out[4096];

static const char *filtered(const char *s, size_t len)
{
	struct filter f = { 0 };
	u32 n = 0;

	for (size_t i = 0; i < len; i++) {
		char piece[FILTER_OUT_MAX];
		u32 have = filter_byte(&f, (u8)s[i], piece);

		assert_true(have <= FILTER_OUT_MAX);
		memcpy(out + n, piece, have);
		n += have;
	}
	out[n] = 0;
	return out;
}

#define expect(in, text) assert_string_equal(filtered(in, sizeof(in) - 1), text)

static void test_text(void **state)
{
	expect("plain ~ text\t.", "plain ~ text\t.");
	expect("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80.",
	       "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80.");
}

static void test_controls(void **state)
{
	expect("a\bb\x07\x7f", "a\\x08b\\x07\\x7f");
	expect("a\0b", "ab");
	expect("\x0e\x18\x9b", "\\x0e\\x18\\x9b");
	/* C1 controls in UTF-8 */
	expect("\xc2\x9b"
	       "31m",
	       "\\xc2\\x9b31m");
	/* Right-to-left override, line separator, zero width, tags */
	expect("\xe2\x80\xae", "\\xe2\\x80\\xae");
	expect("\xe2\x80\xa8", "\\xe2\\x80\\xa8");
	expect("\xe2\x80\x8b", "\\xe2\\x80\\x8b");
	expect("\xf3\xa0\x80\x81", "\\xf3\\xa0\\x80\\x81");
}

static void test_sequences(void **state)
{
	expect("\x1b[31mred\x1b[0m", "red");
	expect("\x1b[2J\x1b[1;1H[log] forged", " [log] forged");
	expect("\x1b[?25l\x1b(B\x1b=\x1b#8x", "x");
	/* One that a control breaks off hides nothing */
	expect("\x1b[12\x07z", "\\x07z");
	expect("\x1b\x1b[1mz", "z");
	/* No string sequence swallows text, nor does an endless CSI */
	expect("\x1b]0;title\x07z", "0;title\\x07z");
	expect("\x1b[0000000000111111111122222222223333333333m", "3333333333m");
}

static void test_bad_utf8(void **state)
{
	expect("\x80\xff", "\\x80\\xff");
	expect("\xc0\xaf", "\\xc0\\xaf"); /* overlong */
	expect("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	expect("\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf");
	expect("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* a surrogate */
	expect("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* too large */
	expect("\xf5\x80", "\\xf5\\x80");
	expect("\xe2\x82z", "\\xe2\\x82z"); /* cut short */
	expect("\xe2\x82\x1b[1mz", "\\xe2\\x82z");
	expect("\xf0\x9f\x98\xc3\xbc", "\\xf0\\x9f\\x98\xc3\xbc");
}

/* Whatever comes in: no control, no ESC, nothing but UTF-8 comes out */
static void test_random(void **state)
{
	struct filter f = { 0 };
	char piece[FILTER_OUT_MAX];

	srand(3);
	for (u32 i = 0; i < 1000000; i++) {
		static const u8 often[] = { 0x1b, '[', 0xc2, 0x80, 0x9b, 'm' };
		u8 byte = rand() % 3 ? (u8)rand() : often[rand() % 6];
		u32 n = filter_byte(&f, byte, piece);

		assert_true(n <= FILTER_OUT_MAX);
		for (u32 k = 0; k < n; k++) {
			u8 c = (u8)piece[k];

			assert_true(c == '\t' || (c >= ' ' && c != 0x7f));
			if (c < 0x80)
				continue;
			/* A whole character, and none of C1 */
			assert_true(c >= 0xc2 && k + 1 < n);
			assert_false(c == 0xc2 && (u8)piece[k + 1] < 0xa0);
			while (k + 1 < n && ((u8)piece[k + 1] & 0xc0) == 0x80)
				k++;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_bad_utf8),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
