/* SOURCES: lib/drbg.c lib/chacha20.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The generator against the same steps done with OpenSSL's chacha20 */
#include "lib/drbg.h"
#include "tests/unit/test.h"

static void seed_with(struct drbg *g, u8 first, u8 step)
{
	u64 seed[DRBG_SEED_WORDS];
	u8 bytes[sizeof(seed)];

	for (u32 i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(first + i * step);
	memcpy(seed, bytes, sizeof(seed));
	drbg_seed(g, seed);
}

static void test_known_answers(void **state)
{
	static const u8 begins[] = { 0x8c, 0x03, 0xd0, 0x1f, 0x04, 0x58,
				     0xcb, 0x06, 0xb9, 0x62, 0x19, 0x4e,
				     0x15, 0x85, 0x99, 0x98 };
	static const u8 ends[] = { 0xc2, 0x0e, 0xcf, 0x7f, 0x5c, 0x71,
				   0x6a, 0x16, 0x63, 0x63, 0x2c, 0x81,
				   0x05, 0xd4, 0xd2, 0x06 };
	static const u8 next[] = { 0x7c, 0xe7, 0x7e, 0x32, 0xdb, 0xae,
				   0x11, 0x86, 0x5c, 0x0a, 0xa5, 0xa3,
				   0xfa, 0x82, 0xc0, 0xdb };
	static const u8 seeded[] = { 0x6a, 0x36, 0x91, 0x00, 0x99, 0xbb,
				     0x52, 0xc1, 0xba, 0xd4, 0xf9, 0x57,
				     0x21, 0x67, 0xb0, 0x22 };
	struct drbg g = { 0 };
	u8 out[81] = { 0 };

	seed_with(&g, 1, 1);
	drbg_generate(&g, out, 80);
	assert_memory_equal(out, begins, sizeof(begins));
	assert_memory_equal(out + 64, ends, sizeof(ends));
	assert_int_equal(out[80], 0);
	drbg_generate(&g, out, 16);
	assert_memory_equal(out, next, sizeof(next));
	seed_with(&g, 0xff, 0);
	drbg_generate(&g, out, 16);
	assert_memory_equal(out, seeded, sizeof(seeded));
}

/* Asking for nothing is a step, too: the key is another */
static void test_key_changes(void **state)
{
	struct drbg g = { 0 }, before;

	seed_with(&g, 9, 7);
	before = g;
	drbg_generate(&g, NULL, 0);
	assert_memory_not_equal(&g, &before, sizeof(g));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_key_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
