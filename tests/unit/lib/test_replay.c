/* SOURCES: lib/replay.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What a terminal is sent again: it draws, and asks the terminal nothing */
#include "lib/replay.h"
#include "tests/unit/test.h"

static char out[8192];

/* In two texts, the second of which goes on by itself, cut at @cut */
static const char *replayed(const char *s, size_t len, size_t cut)
{
	struct replay r = { 0 };
	u32 n = 0;

	for (size_t i = 0; i < cut; i++) {
		char piece[REPLAY_OUT_MAX];
		u32 have = replay_byte(&r, (u8)s[i], piece);

		assert_true(have <= REPLAY_OUT_MAX);
		memcpy(out + n, piece, have);
		n += have;
	}
	n += replay_end(&r, out + n);
	memcpy(out + n, s + cut, len - cut);
	out[n + len - cut] = 0;
	return out;
}

#define expect(in, text)                                                       \
	assert_string_equal(replayed(in, sizeof(in) - 1, sizeof(in) - 1), text)
#define kept(in) expect(in, in)
#define lost(in) expect("a" in "b", "ab")

static void test_kept(void **state)
{
	kept("plain\ttext\r\n\b \x0e.\x0f");
	kept("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x9b \xc2\xa7 \xb5");
	kept("\x1b[31;1mred\x1b[m \x1b[38:2::1:2:3m\x1b[2J\x1b[H\x1b[10;20r");
	kept("\x1b[?25l\x1b[?1049h\x1b[?7;25h\x1b[?2004l\x1b[!p\x1b[4 q");
	kept("\x1b"
	     "7\x1b"
	     "8\x1b(0\x1b)B\x1b#8\x1bM\x1b>\x1b"
	     "c");
}

static void test_questions(void **state)
{
	lost("\x1b[6n");   /* DSR: where is the cursor? */
	lost("\x1b[?15n"); /* a printer? */
	lost("\x1b[c");    /* DA: who are you? */
	lost("\x1b[>0c");
	lost("\x1b[=c");
	lost("\x1bZ");
	lost("\x1b[?1$p"); /* DECRQM */
	lost("\x1b[4$p");
	lost("\x1b[x"); /* DECREQTPARM */
	lost("\x1b[18t");
	lost("\x1b[>q");
	lost("\x1b[?u");
	lost("\x1b[1$w");
	lost("\x1b[?2;1S");
	lost("\x1b[1*y");
	lost("\x1b[5i"); /* to the printer */
	lost("\x05");    /* ENQ */
	lost("\x07");
	lost("\x1b]11;?\x07"); /* OSC: which color? */
	lost("\x1b]4;1;?\x1b\\");
	lost("\x1bP$qm\x1b\\");         /* DCS: DECRQSS */
	lost("\x1bP+q544e\x1b\\");      /* XTGETTCAP */
	lost("\x1b_Gi=1,a=q;AA\x1b\\"); /* APC */
	lost("\x1b^x\x1b\\\x1bXx\x1b\\");
	/* Reports that come by themselves */
	lost("\x1b[?1000h\x1b[?1004h\x1b[?9h\x1b[?2048h\x1b[?25;1003h");
	lost("\x1b[20h");
	/* The same by C1 controls, in 8 bits and in UTF-8 */
	lost("\x9b"
	     "6n\x9a\x9d"
	     "11;?\x07\x90$qm\x1b\\\x9b"
	     "c");
	lost("\xc2\x9b"
	     "6n\xc2\x9a\xc2\x9d"
	     "11;?\x07");
	expect("\x9b"
	       "1m",
	       "\x1b[1m");
}

/* Sequences that other bytes stand in, and that grow out of two */
static void test_broken(void **state)
{
	expect("\x1b[\n6n.", ".");
	expect("\x1b[6\x05n.", ".");
	expect("\x1b\x1b[6n.", ".");
	expect("\x1b[\x18[6n", "[6n");
	expect("\x1b[\x9b[6n", "[6n");
	expect("\x1b\x1b[\x1b[m6n", "\x1b[m6n");
	expect("\x1b]0;title\n6n", "6n");
	expect("\x1b]0;\x1b[6n.", ".");
	expect("\x1b[\xc2\x9b"
	       "6n.",
	       ".");
	expect("\xc2\xc2\x9b"
	       "6n.",
	       "\xc2.");
	expect("\xe2\x9b"
	       "6n.",
	       "\xe2\x9b"
	       "6n.");
	/* One that is too long is no text either */
	expect("\x1b[111111111111111111111111111111111111111111111111111111111"
	       "1111111111111111111m.",
	       ".");
}

/* The history is cut in a sequence whose rest comes now */
static void test_cut(void **state)
{
	static const char *const texts[] = { "\x1b[31mx", "\x1b[6n", "\xc2\xa7",
					     "\x1b]0;t\x07", "\x1b(0" };

	for (u32 i = 0; i < ARRAY_SIZE(texts); i++) {
		size_t len = strlen(texts[i]);

		for (size_t cut = 1; cut < MIN(len, 2u); cut++)
			assert_string_equal(replayed(texts[i], len, cut),
					    texts[i]);
	}
	assert_string_equal(replayed("\x1b[3", 3, 3), "\x1b[3");
	assert_string_equal(replayed("\x1b]0;ti", 6, 5), "\x1b]i");
}

/* Whatever comes, what is written is a control or sequence of the lists: none
 * of it ends as a question does */
static void test_random(void **state)
{
	static const char some[] = "\x1b\x1b[[]P?;01469ncZp$ \\\x07\n\xc2\x9bx";
	static char in[4096];
	u32 seed = 1;

	for (u32 round = 0; round < 200; round++) {
		size_t len = sizeof(in) - 1;

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			in[i] = some[seed / 65536 % (sizeof(some) - 1)];
		}
		replayed(in, len, len);
		for (const char *at = out; (at = strchr(at, '\x1b')); at++) {
			size_t n = strspn(at + 1, "[]?;01469$ ");

			assert_int_not_equal(at[1 + n], 'n');
			assert_int_not_equal(at[1], 'Z');
			assert_false(at[1] == '[' && at[1 + n] == 'c');
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),   cmocka_unit_test(test_questions),
		cmocka_unit_test(test_broken), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
