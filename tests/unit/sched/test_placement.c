/* SOURCES: sched/placement.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The core a new entity gets: allowed, online, least loaded, away from its own
 * group */
#include "sched/placement.h"
#include "tests/unit/test.h"

#define CORES 4u

static struct pcpu cores[CORES];
struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count = CORES;

static u64 allowed[MAX_CPUS / 64];
static u32 group[MAX_CPUS];
static u64 near_cores[MAX_CPUS / 64];
static const u64 *near; /* near_cores, or NULL */

static int setup(void **state)
{
	memset(group, 0, sizeof(group));
	near = NULL;
	memset(allowed, 0xff, sizeof(allowed));
	for (u32 i = 0; i < CORES; i++) {
		cores[i] = (struct pcpu){ .id = i, .online = true };
		pcpus[i] = &cores[i];
	}
	return 0;
}

static struct pcpu *choose(enum placement_order order)
{
	const struct placement p = {
		.cores = allowed, .group = group, .near = near, .order = order
	};

	return placement_choose(&p);
}

static void test_order_breaks_ties(void **state)
{
	assert_ptr_equal(choose(PLACE_LOW_FIRST), &cores[0]);
	assert_ptr_equal(choose(PLACE_HIGH_FIRST), &cores[CORES - 1]);
}

static void test_least_loaded(void **state)
{
	placement_add(&cores[0]);
	placement_add(&cores[1]);
	placement_add(&cores[0]);
	assert_ptr_equal(choose(PLACE_LOW_FIRST), &cores[2]);
	allowed[0] = 3; /* cores 0 and 1 */
	assert_ptr_equal(choose(PLACE_LOW_FIRST), &cores[1]);
	placement_remove(&cores[0]);
	placement_remove(&cores[0]);
	assert_ptr_equal(choose(PLACE_LOW_FIRST), &cores[0]);
	placement_remove(&cores[1]);
}

/* A core of its node, busy or not, before another; but none twice */
static void test_near(void **state)
{
	near = near_cores;
	near_cores[0] = 3;
	placement_add(&cores[0]);
	placement_add(&cores[1]);
	placement_add(&cores[1]);
	assert_ptr_equal(choose(PLACE_HIGH_FIRST), &cores[0]);
	group[0] = group[1] = 1;
	assert_ptr_equal(choose(PLACE_HIGH_FIRST), &cores[3]);
	group[2] = group[3] = 1;
	assert_ptr_equal(choose(PLACE_HIGH_FIRST), &cores[0]);
	assert_int_equal(placement_load(&cores[1]), 2);
	placement_remove(&cores[0]);
	placement_remove(&cores[1]);
	placement_remove(&cores[1]);
}

static void test_offline_and_forbidden_are_none(void **state)
{
	cores[0].online = false;
	assert_ptr_equal(choose(PLACE_LOW_FIRST), &cores[1]);
	allowed[0] = 1;
	assert_null(choose(PLACE_LOW_FIRST));
}

/* A crowded core is better than one of the group's own; sharing with the group
 * is better than no core */
static void test_group_shares_last(void **state)
{
	allowed[0] = 3;
	group[0] = 1;
	for (u32 i = 0; i < 100; i++)
		placement_add(&cores[1]);
	assert_ptr_equal(choose(PLACE_LOW_FIRST), &cores[1]);
	group[1] = 1;
	assert_ptr_equal(choose(PLACE_LOW_FIRST), &cores[0]);
	for (u32 i = 0; i < 100; i++)
		placement_remove(&cores[1]);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_order_breaks_ties),
		T(test_least_loaded),
		T(test_near),
		T(test_offline_and_forbidden_are_none),
		T(test_group_shares_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
