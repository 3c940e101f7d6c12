/* SOURCES: hv/time/vclock.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Both directions of a clock agree, for every rate and any time */
#include "tests/unit/fakes/vdev.h"

#include "hv/time/vclock.h"

static const u64 khz[] = { 1000000, 2345678, 5000001, 55000 };
static const u64 hz[] = { 32768, 1193182, 3579545, 14318180, 100000000 };

static void test_inverse(void **state)
{
	struct vclock c;

	srandom(2);
	for (u32 i = 0; i < 200000; i++) {
		u64 n = (u64)random() << random() % 20, t;

		tsc_khz = khz[i % ARRAY_SIZE(khz)];
		vclock_init(&c, hz[i / 7 % ARRAY_SIZE(hz)]);
		t = vclock_tsc(&c, n);
		if (t == VCLOCK_NEVER)
			continue;
		assert_true(vclock_ticks(&c, t) >= n);
		assert_true(!n || vclock_ticks(&c, t - 1) < n);
	}
}

/* A year from now it is right within a second */
static void test_rate(void **state)
{
	const u64 year = 365 * 86400ull;
	struct vclock c;

	for (u32 i = 0; i < ARRAY_SIZE(khz) * ARRAY_SIZE(hz); i++) {
		u64 f = hz[i / ARRAY_SIZE(khz)];

		tsc_khz = khz[i % ARRAY_SIZE(khz)];
		vclock_init(&c, f);
		assert_in_range(vclock_ticks(&c, tsc_khz * 1000 * year),
				f * (year - 1), f * year);
	}
}

static void test_never(void **state)
{
	struct vclock c;

	tsc_khz = 5000000;
	vclock_init(&c, 32768);
	assert_int_equal(vclock_tsc(&c, ~0ull), VCLOCK_NEVER);
	assert_int_equal(vclock_tsc(&c, BIT(46)), VCLOCK_NEVER);
	assert_true(vclock_tsc(&c, BIT(40)) < VCLOCK_NEVER);
	vclock_init(&c, 100000000);
	assert_int_equal(vclock_tsc(&c, ~0ull), VCLOCK_NEVER);
	assert_int_equal(vclock_tsc(&c, 0), 0);
}

/* Noted by a core whose TSC is ahead, looked at by one whose TSC is not */
static void test_before_the_start(void **state)
{
	struct vclock c;

	tsc_khz = 2345678;
	vclock_init(&c, 14318180);
	assert_int_equal(vclock_ticks(&c, 0 - 1ull), 0);
	assert_int_equal(vclock_ticks(&c, 0 - 100000ull), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inverse),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_before_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
