/* SOURCES: lib/qr.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* QR codes: each version as `qrencode -8 -l L` of libqrencode 4.1.1 makes it of
 * the same text. Its modules are compared by an FNV-1a sum. */
#include "lib/qr.h"

#include "lib/errno.h"
#include "tests/unit/test.h"

static const struct {
	u32 len, version;
	u64 sum; /* of the modules as bytes 0 and 1, row by row */
} known[] = {
	{ 12, 1, 0x2ea88ac12f8e8055ull },
	{ 32, 2, 0xfe4309c02cc529bfull },
	{ 52, 3, 0xdcc765671dfb1123ull },
	{ 78, 4, 0xe302c700b92421f2ull },
	{ 105, 5, 0x662c46cb5770eb95ull },
	{ 133, 6, 0xc0f296a2b686265full },
	{ 154, 7, 0x9c7bf3802d1a0473ull },
	{ 192, 8, 0x131d00c510099be2ull },
	{ 230, 9, 0xed3b25c2833e367cull },
	{ 271, 10, 0x43cb308579b4b8b3ull },
	{ 321, 11, 0x401ee35bcc20e5e1ull },
	{ 367, 12, 0xd0975f8402b20864ull },
	{ 425, 13, 0xd79170a38d6b722dull },
	{ 456, 14, 0x7f64e432b616332bull },
	{ 520, 15, 0xb2b8ce4268a1ec21ull },
	{ 583, 16, 0xc143159bc21aa9b5ull },
	{ 644, 17, 0xf461c83f94900a5dull },
	{ 718, 18, 0x76b7e5100110b1b7ull },
	{ 792, 19, 0xe830f7bc8ab38815ull },
	{ 858, 20, 0xeba9b50167ae0ef9ull },
	{ 928, 21, 0xa9adfc0df45681aeull },
	{ 1000, 22, 0x188b65aa88151037ull },
	{ 1091, 23, 0xbf78f4920e1473ffull },
	{ 1168, 24, 0x1c5672cfeaee47dbull },
	{ 1273, 25, 0x7eeb361c58735f47ull },
};

static struct qr q;
static char text[2000];

static u64 fnv(void)
{
	u64 sum = 0xcbf29ce484222325ull;

	for (u32 y = 0; y < q.side; y++)
		for (u32 x = 0; x < q.side; x++)
			sum = (sum ^ q.dark[y][x]) * 0x100000001b3ull;
	return sum;
}

static int setup(void **state)
{
	for (u32 i = 0; i < sizeof(text); i++)
		text[i] = (char)(32 + (i * 7 + i / 13) % 95);
	return 0;
}

static void test_known(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(known); i++) {
		assert_int_equal(
			qr_encode(&q, text, known[i].len, QR_VERSION_MAX), 0);
		assert_int_equal(q.version, known[i].version);
		assert_int_equal(q.side, 17 + 4 * q.version);
		assert_true(fnv() == known[i].sum);
	}
}

/* Table 7 of the standard, level L, bytes */
static void test_capacity(void **state)
{
	static const u32 bytes[] = { 17,   32,   53,   78,  106, 134, 154,
				     192,  230,  271,  321, 367, 425, 458,
				     520,  586,  644,  718, 792, 858, 929,
				     1003, 1091, 1171, 1273 };

	for (u32 v = 1; v <= QR_VERSION_MAX; v++) {
		assert_int_equal(qr_capacity(v), bytes[v - 1]);
		assert_int_equal(qr_encode(&q, text, bytes[v - 1], v), 0);
		assert_int_equal(q.version, v);
		assert_int_equal(qr_encode(&q, text, bytes[v - 1] + 1, v),
				 -ENOSPC);
	}
	assert_int_equal(qr_capacity(0), 0);
	assert_int_equal(qr_capacity(QR_VERSION_MAX + 1), 0);
	assert_int_equal(qr_encode(&q, text, 1274, 40), -ENOSPC);
	assert_int_equal(qr_encode(&q, text, 0, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_capacity),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
