/* SOURCES: hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Port and MMIO regions: order, overlap, lookups, accesses at the edges */
#include "hv/core/bus.h"
#include "lib/errno.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/test.h"

static struct bus bus;
static struct budget budget;
static u64 last_offset, last_value;
static u32 writes;

static u64 on_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	last_offset = offset;
	return (u64)(uintptr_t)dev;
}

static void on_write(struct vcpu *v, void *dev, u64 offset, u8 size, u64 value)
{
	last_offset = offset;
	last_value = value;
	writes++;
}

static int add(u64 base, u64 size, u64 id)
{
	struct bus_region r = { .base = base,
				.size = size,
				.name = "test",
				.read = on_read,
				.write = on_write,
				.dev = (void *)(uintptr_t)id };

	return bus_add(&bus, &r);
}

static int setup(void **state)
{
	writes = 0;
	return bus_init(&bus, &budget, 8);
}

static int teardown(void **state)
{
	bus_destroy(&bus, &budget);
	fake_pool_check(&budget);
	return 0;
}

static void test_sorted_and_disjoint(void **state)
{
	assert_int_equal(add(0x600, 4, 2), 0);
	assert_int_equal(add(0x60, 1, 1), 0);
	assert_int_equal(add(0x3f8, 8, 3), 0);
	assert_int_equal(add(0x3ff, 1, 4), -EEXIST);
	assert_int_equal(add(0x3f0, 9, 4), -EEXIST);
	assert_int_equal(add(0x5f0, 0x100, 4), -EEXIST);
	assert_int_equal(add(0x700, 0, 4), -EINVAL);
	assert_int_equal(add(~0ull, 2, 4), -EINVAL);
	assert_int_equal(add(0x3f7, 1, 5), 0);
	assert_int_equal(bus.count, 4);
	for (u32 i = 1; i < bus.count; i++)
		assert_true(bus.regions[i - 1].base + bus.regions[i - 1].size <=
			    bus.regions[i].base);
}

static void test_find(void **state)
{
	assert_null(bus_find(&bus, 0));
	assert_int_equal(add(0x3f8, 8, 3), 0);
	assert_int_equal(add(0x600, 4, 2), 0);
	assert_null(bus_find(&bus, 0x3f7));
	assert_int_equal(bus_find(&bus, 0x3f8)->base, 0x3f8);
	assert_int_equal(bus_find(&bus, 0x3ff)->base, 0x3f8);
	assert_null(bus_find(&bus, 0x400));
	assert_int_equal(bus_find(&bus, 0x603)->base, 0x600);
	assert_null(bus_find(&bus, 0xffff));
}

/* The filter may say yes for nothing, never no for something */
static void test_filter_covers_every_region(void **state)
{
	assert_int_equal(add(0x3f8, 8, 3), 0);
	assert_int_equal(add(0x601, 3, 2), 0);
	assert_int_equal(add(0x70, 2, 2), 0);
	for (u64 a = 0; a < 0x10000; a++)
		if (bus_find(&bus, a))
			assert_true(bus_may_claim(&bus, a));
	assert_false(bus_may_claim(&bus, 0x1234));
	assert_int_equal(add(0xfee00000, 4096, 1), 0);
	assert_true(bus_may_claim(&bus, 0x1234));
	bus_remove(&bus, 0xfee00000);
	assert_false(bus_may_claim(&bus, 0x1234));
}

static void test_accesses(void **state)
{
	assert_int_equal(add(0x600, 4, 0x1234567890), 0);
	assert_int_equal(bus_read(&bus, NULL, 0x602, 1), 0x90);
	assert_int_equal(last_offset, 2);
	assert_int_equal(bus_read(&bus, NULL, 0x600, 4), 0x34567890);
	bus_write(&bus, NULL, 0x602, 2, 0x12345);
	assert_int_equal(last_value, 0x2345);
	assert_int_equal(writes, 1);
}

static void test_unclaimed(void **state)
{
	assert_int_equal(add(0x600, 4, 1), 0);
	assert_int_equal(bus_read(&bus, NULL, 0x500, 1), 0xff);
	assert_int_equal(bus_read(&bus, NULL, 0x500, 2), 0xffff);
	assert_int_equal(bus_read(&bus, NULL, 0x500, 4), 0xffffffff);
	assert_true(bus_read(&bus, NULL, 0x500, 8) == ~0ull);
	/* Across the region's end: nobody's */
	assert_int_equal(bus_read(&bus, NULL, 0x603, 2), 0xffff);
	bus_write(&bus, NULL, 0x602, 4, 1);
	bus_write(&bus, NULL, 0x5ff, 2, 1);
	assert_int_equal(writes, 0);
}

static void test_region_without_a_direction(void **state)
{
	struct bus_region r = { .base = 0x80, .size = 1, .name = "none" };

	assert_int_equal(bus_add(&bus, &r), 0);
	assert_int_equal(bus_read(&bus, NULL, 0x80, 1), 0xff);
	bus_write(&bus, NULL, 0x80, 1, 1);
}

static void test_full(void **state)
{
	u64 port = 0;

	while (bus.count < bus.capacity)
		assert_int_equal(add(port++, 1, 1), 0);
	assert_int_equal(add(port, 1, 1), -ENOSPC);
	bus_remove(&bus, 3);
	assert_null(bus_find(&bus, 3));
	assert_int_equal(add(port, 1, 1), 0);
	bus_remove(&bus, 0xabc);
	assert_int_equal(bus.count, bus.capacity);
}

/* The index answers as the search does, after every change */
static void test_index(void **state)
{
	struct bus plain;

	assert_int_equal(bus_init(&plain, &budget, 16), 0);
	assert_int_equal(bus_init(&bus, &budget, 16), 0);
	assert_int_equal(bus_make_index(&bus, &budget), 0);
	for (u64 i = 0; i < 12; i++) {
		const struct bus_region r = { .base = (i * 7 % 12) * 0x180,
					      .size = 1 + i * 0x11,
					      .name = "test" };

		assert_int_equal(bus_add(&bus, &r), 0);
		assert_int_equal(bus_add(&plain, &r), 0);
		if (i == 9) {
			bus_remove(&bus, 0x180);
			bus_remove(&plain, 0x180);
		}
		for (u64 at = 0; at < 0x1800; at++) {
			const struct bus_region *a = bus_find(&bus, at);
			const struct bus_region *b = bus_find(&plain, at);

			assert_int_equal(a ? a - bus.regions : -1,
					 b ? b - plain.regions : -1);
		}
	}
	bus_destroy(&plain, &budget);
	bus_destroy(&bus, &budget);
	assert_null(bus.index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sorted_and_disjoint, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter_covers_every_region,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_accesses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unclaimed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_region_without_a_direction,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test(test_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
