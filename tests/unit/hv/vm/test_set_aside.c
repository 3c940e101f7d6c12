/* SOURCES: hv/vm/set_aside.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* How the hypervisor's memory grows for guests: a machine whose pool has some
 * pages free, and grows in whole 2 MiB */
#include "arch/x86/cpu/speculation.h"
#include "hv/core/split.h"
#include "hv/load/load.h"
#include "hv/vm/pool.h"
#include "hv/vm/set_aside.h"
#include "lib/errno.h"
#include "mm/hostmap.h"
#include "mm/owner.h"
#include "mm/pmm.h"
#include "mm/pool_size.h"
#include "tests/unit/fakes/log.h"

#define RAM           GIB(4)
#define PAGES_OF_2M   512u
#define GUEST_PAGES   (64u + 8u) /* with one vCPU */
#define LOAD_PAGES    100u
#define COUNTED_PAGES 48u

struct speculation speculation;
static u64 free_pages, kept, grown, kept_back, shared;
static bool is_full;
static struct guest_config guests[4];
static struct manifest m;

u64 owner_bytes(enum owner_kind kind, u16 vm)
{
	return kind == OWNER_HYPERVISOR ? kept : RAM;
}

u64 pmm_free_pages(void)
{
	return free_pages;
}

u64 hostmap_pool_left(void)
{
	return free_pages * PAGE_SIZE;
}

int hostmap_grow_pool(u64 size)
{
	if (is_full)
		return -ENOMEM;
	grown += size / PAGE_SIZE;
	kept += ALIGN_UP(size, PAGE_2M);
	return 0;
}

u32 load_pages(const struct guest_config *c)
{
	return LOAD_PAGES;
}

u64 pool_bytes(void)
{
	return kept_back;
}

u64 pool_split_tables(u32 cores, u64 *ram_bytes)
{
	*ram_bytes = RAM;
	return cores * 10;
}

void split_share(u64 tables, u64 ram_bytes)
{
	assert_int_equal(ram_bytes, RAM);
	shared = tables;
}

static int setup(void **state)
{
	memset(guests, 0, sizeof(guests));
	for (u32 i = 0; i < ARRAY_SIZE(guests); i++)
		guests[i] = (struct guest_config){ .valid = true,
						   .autostart = true,
						   .vcpus = 1 };
	m = (struct manifest){ .guests = guests,
			       .guest_count = ARRAY_SIZE(guests) };
	speculation.actions = 0;
	free_pages = 0;
	kept = MIB(4);
	grown = kept_back = shared = 0;
	is_full = false;
	fake_log_reset();
	/* Nothing is kept for guests to come but what a test asks for */
	set_aside_for_guests(&(struct manifest){ .guest_count = 0 });
	return 0;
}

static void expect_report(u64 of_own, u64 to_come)
{
	char text[128];

	snprintf(text, sizeof(text),
		 to_come ? "keeps %llu KiB, and %llu KiB of its own"
			 : "keeps %llu KiB",
		 of_own, to_come);
	set_aside_report();
	assert_non_null(strstr(fake_log_last, text));
}

/* Those that start by themselves, and no others */
static void test_of_the_manifest(void **state)
{
	guests[1].autostart = false;
	guests[2].valid = false;
	guests[3].vcpus = 3;
	set_aside_for_guests(&m);
	assert_int_equal(grown, 2 * (GUEST_PAGES + LOAD_PAGES) + 2 * 8);
	assert_int_equal(fake_log_warnings, 0);
}

/* Half of what is free serves first */
static void test_what_is_free(void **state)
{
	free_pages = 8 * (GUEST_PAGES + LOAD_PAGES);
	set_aside_for_guests(&m);
	assert_int_equal(grown, 0);
	free_pages -= 2;
	set_aside_for_guests(&m);
	assert_int_equal(grown, 1);
	expect_report((kept >> 10) - 511 * 4, 511 * 4);
}

/* By guest-memory, in bytes or percent, up to a bound, and by guest-count */
static void test_to_come(void **state)
{
	m.guest_count = 0;
	m.pool_bytes = GIB(1);
	set_aside_for_guests(&m);
	assert_int_equal(grown, GIB(1) / 64 / PAGE_SIZE);
	grown = 0;
	m.pool_percent = 50;
	set_aside_for_guests(&m);
	assert_int_equal(grown, RAM / 100 * 50 / 64 / PAGE_SIZE);
	grown = 0;
	m.pool_percent = 0;
	m.pool_bytes = GIB(1000);
	set_aside_for_guests(&m);
	assert_int_equal(grown, MIN(RAM / 64, MIB(192)) / PAGE_SIZE);
	grown = 0;
	m.pool_guests = 1000;
	set_aside_for_guests(&m);
	assert_int_equal(grown, 1000 * COUNTED_PAGES);
}

static void test_report(void **state)
{
	u64 before = kept >> 10;

	expect_report(before, 0);
	m.guest_count = 0;
	m.pool_guests = PAGES_OF_2M;
	set_aside_for_guests(&m);
	expect_report(before, PAGES_OF_2M * COUNTED_PAGES * 4);
	kept_back = GIB(1);
	kept += POOL_UNIT;
	expect_report(before,
		      PAGES_OF_2M * COUNTED_PAGES * 4 + (POOL_UNIT >> 10));
}

static void test_short(void **state)
{
	is_full = true;
	set_aside_for_guests(&m);
	assert_int_equal(fake_log_warnings, 1);
	speculation.actions = SPEC_SPLIT;
	set_aside_split_tables(&m, 4);
	assert_int_equal(fake_log_warnings, 2);
	expect_report(kept >> 10, 0);
}

/* On a CPU that needs none there are none; else each guest has its least
 * besides those that all share */
static void test_split_tables(void **state)
{
	u64 least;

	guests[0].vcpus = 0; /* as many as there are cores */
	guests[2].valid = guests[3].autostart = false;
	set_aside_split_tables(&m, 4);
	assert_int_equal(grown, 0);
	assert_int_equal(shared, 0);
	speculation.actions = SPEC_SPLIT;
	least = SPLIT_TABLES_MIN(4) + SPLIT_TABLES_MIN(1);
	set_aside_split_tables(&m, 4);
	assert_int_equal(shared, 40);
	assert_int_equal(grown, 40 + least);
	/* What the pool has is enough, but not for guests to come */
	grown = 0;
	free_pages = 40 + least;
	m.pool_guests = 7;
	set_aside_split_tables(&m, 4);
	assert_int_equal(grown, 7 * SPLIT_TABLES_MIN(1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_of_the_manifest, setup),
		cmocka_unit_test_setup(test_what_is_free, setup),
		cmocka_unit_test_setup(test_to_come, setup),
		cmocka_unit_test_setup(test_report, setup),
		cmocka_unit_test_setup(test_short, setup),
		cmocka_unit_test_setup(test_split_tables, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
