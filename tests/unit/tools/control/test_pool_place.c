/* SOURCES: tools/control/place.c tools/control/fail.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a guest's memory goes in the pool */
#include "tests/unit/test.h"
#include "tools/control/place.h"

static struct bh_ctl_range pool_ranges[] = {
	{ .base = MIB(1024), .size = MIB(64), .node = 0 },
	{ .base = MIB(4096), .size = MIB(128), .node = 1 },
};
static struct list pool = { pool_ranges, ARRAY_SIZE(pool_ranges) };
static struct list used;
static struct place p;
static struct failure f;

static void use(u64 base, u64 size)
{
	const struct bh_ctl_range range = { .base = base, .size = size };

	assert_int_equal(place_use(&used, &range, 1), 0);
}

static void unuse(u64 base)
{
	const struct bh_ctl_range range = { .base = base };

	place_unuse(&used, &range, 1);
}

static int end(void **state)
{
	free(used.items);
	used = (struct list){ 0 };
	return 0;
}

static void expect(u32 i, u64 base, u64 size)
{
	assert_true(i < p.count);
	assert_int_equal(p.ranges[i].base, base);
	assert_int_equal(p.ranges[i].size, size);
}

/* The smallest piece that has room */
static void test_one_piece(void **state)
{
	assert_int_equal(place_find(&pool, &used, MIB(16), -1, &p, &f), 0);
	assert_int_equal(p.count, 1);
	expect(0, MIB(1024), MIB(16));
	use(MIB(1024), MIB(16));
	assert_int_equal(place_find(&pool, &used, MIB(3), -1, &p, &f), 0);
	expect(0, MIB(1040), MIB(4));
	assert_int_equal(place_find(&pool, &used, MIB(16), 1, &p, &f), 0);
	expect(0, MIB(4096), MIB(16));
	use(MIB(4100), MIB(4));
	assert_int_equal(place_find(&pool, &used, MIB(4), 1, &p, &f), 0);
	expect(0, MIB(4096), MIB(4));
}

static void test_pieces(void **state)
{
	use(MIB(1040), MIB(4));
	use(MIB(4096), MIB(96));
	assert_int_equal(place_find(&pool, &used, MIB(80), -1, &p, &f), 0);
	assert_int_equal(p.count, 3);
	expect(0, MIB(1044), MIB(44));
	expect(1, MIB(4192), MIB(32));
	expect(2, MIB(1024), MIB(4));
	assert_int_equal(place_find(&pool, &used, MIB(92), -1, &p, &f), 0);
	assert_int_equal(place_find(&pool, &used, MIB(93), -1, &p, &f), -1);
	assert_int_equal(f.kind, FAIL_NO_ROOM);
	assert_non_null(strstr(f.text, "wants 94 MiB and 92 MiB"));
}

/* Ranges that overlap, touch, lie around or beyond the pool */
static void test_odd_use(void **state)
{
	use(MIB(1000), MIB(30));
	use(MIB(1028), MIB(4));
	use(MIB(1080), MIB(500));
	use(MIB(1033), MIB(1));
	use(0, MIB(1));
	use(MIB(4000), MIB(4000));
	assert_int_equal(place_find(&pool, &used, MIB(2), -1, &p, &f), 0);
	expect(0, MIB(1034), MIB(2));
	assert_int_equal(place_find(&pool, &used, MIB(46), -1, &p, &f), 0);
	assert_int_equal(place_find(&pool, &used, MIB(48), -1, &p, &f), -1);
}

/* Guests come and go in any order, and what the last one had is free */
static void test_goes(void **state)
{
	use(MIB(1032), MIB(8));
	use(MIB(1024), MIB(8));
	use(MIB(1040), MIB(48));
	assert_int_equal(place_find(&pool, &used, MIB(8), 0, &p, &f), -1);
	unuse(MIB(1024));
	unuse(MIB(1026));
	assert_int_equal(place_find(&pool, &used, MIB(8), 0, &p, &f), 0);
	expect(0, MIB(1024), MIB(8));
	unuse(MIB(1040));
	assert_int_equal(place_find(&pool, &used, MIB(56), 0, &p, &f), 0);
	assert_int_equal(p.count, 2);
	unuse(MIB(1032));
	assert_int_equal(used.count, 0);
	assert_int_equal(place_find(&pool, &used, MIB(64), 0, &p, &f), 0);
	assert_int_equal(p.count, 1);
}

static void test_none(void **state)
{
	struct list none = { NULL, 0 };

	assert_int_equal(place_find(&none, &used, MIB(2), -1, &p, &f), -1);
	assert_non_null(strstr(f.text, "guest-memory ="));
	assert_int_equal(place_find(&pool, &used, MIB(2), 2, &p, &f), -1);
	assert_non_null(strstr(f.text, "on its node"));
	assert_int_equal(place_find(&pool, &used, 0, -1, &p, &f), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_one_piece, end),
		cmocka_unit_test_teardown(test_pieces, end),
		cmocka_unit_test_teardown(test_odd_use, end),
		cmocka_unit_test_teardown(test_goes, end),
		cmocka_unit_test_teardown(test_none, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
