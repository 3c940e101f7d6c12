/* SOURCES: hv/vm/pool.c hv/vm/numa.c drivers/acpi/nodes.c sched/placement.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of dynamic guests: taken at boot, given in units, all or nothing */
#include "hv/vm/pool.h"

#include "drivers/acpi/acpi.h"
#include "lib/errno.h"
#include "mm/owner.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/window.h"

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;

#define SCRATCH PAGE_2M /* its place */

static u8 *memory;
static u64 largest; /* that there is in a piece */

/* From each range of a node downwards; the scratch frame lies low */
int owner_take(u64 size, u64 align, u64 min, u64 max, enum owner_kind to,
	       u16 vm, hpa_t *base)
{
	assert_int_equal(align, POOL_UNIT);
	if (to == OWNER_HYPERVISOR) {
		*base = HPA(SCRATCH);
		return 0;
	}
	assert_int_equal(to, OWNER_POOL);
	for (u32 i = fake_owner_count; i-- > 0;) {
		struct extent *e = &fake_owners[i];

		if (e->kind != OWNER_FREE || e->size < size || size > largest ||
		    e->base < min || e->base + e->size > max)
			continue;
		e->size -= size;
		*base = HPA(e->base + e->size);
		return 0;
	}
	return -ENOMEM;
}

static struct bh_ctl_range at(u64 base, u64 size)
{
	return (struct bh_ctl_range){ .base = base, .size = size };
}

static bool clean;

static int take(u64 base, u64 size, u16 vm)
{
	struct bh_ctl_range r = at(base, size);

	return pool_take(&r, 1, vm, &clean);
}

static void give_back(u64 base, u64 size, u16 vm, bool is_clean)
{
	struct bh_ctl_range r = at(base, size);

	pool_give_back(&r, vm, is_clean);
}

/* The pool is made once: 64 MiB of two nodes, of which one has twice as much
 * free memory, and no piece is larger than 24 MiB */
static int setup(void **state)
{
	memory = calloc(1, 2 * PAGE_2M);
	memset(memory, 0xaa, 2 * PAGE_2M);
	fake_windows_init(memory, 2 * PAGE_2M);
	fake_owner_add(MIB(16), MIB(64), OWNER_FREE, 0);
	fake_owner_add(GIB(1), MIB(128), OWNER_FREE, 0);
	acpi.numa.node_count = 2;
	acpi.numa.domains[0] = 0;
	acpi.numa.domains[1] = 1;
	acpi.numa.range_count = 2;
	acpi.numa.ranges[0] =
		(struct acpi_node_range){ .base = 0, .size = GIB(1) };
	acpi.numa.ranges[1] = (struct acpi_node_range){ .base = GIB(1),
							.size = GIB(1),
							.domain = 1 };
	largest = MIB(24);
	pool_init(MIB(96) + 5);
	return 0;
}

static int teardown(void **state)
{
	free(memory);
	return 0;
}

static void test_nodes(void **state)
{
	u64 of[2] = { 0, 0 };

	assert_int_equal(pool_bytes(), MIB(96));
	assert_int_equal(pool_free_bytes(), MIB(96));
	for (u32 i = 0; i < pool_range_count(); i++) {
		struct bh_ctl_range r = pool_range(i);

		assert_true(r.node < 2);
		assert_true(IS_ALIGNED(r.base | r.size, POOL_UNIT));
		assert_int_equal(r.base >= GIB(1), r.node);
		of[r.node] += r.size;
		assert_true(pool_has(r.base));
		assert_true(pool_has(r.base + r.size - 1));
	}
	assert_int_equal(of[0], MIB(32));
	assert_int_equal(of[1], MIB(64));
	assert_false(pool_has(MIB(16)));
	assert_false(pool_has(0));
	assert_false(pool_has(~0ull));
}

static void test_scratch(void **state)
{
	assert_int_equal(pool_scratch().v, SCRATCH);
	for (u64 i = 0; i < PAGE_2M; i += 511)
		assert_int_equal(memory[SCRATCH + i], 0);
	assert_int_equal(memory[0], 0xaa);
}

/* What the firmware left is no guest's; what was scrubbed is clean */
static void test_units(void **state)
{
	u64 base = pool_range(0).base;

	assert_int_equal(take(base, MIB(4), 3), 0);
	assert_false(clean);
	assert_int_equal(pool_free_bytes(), MIB(92));
	assert_int_equal(take(base + MIB(2), MIB(2), 4), -EBUSY);
	assert_int_equal(take(base, MIB(2), 3), -EBUSY);
	give_back(base, MIB(4), 3, true);
	assert_int_equal(pool_free_bytes(), MIB(96));
	assert_int_equal(take(base, MIB(2), 4), 0);
	assert_true(clean);
	give_back(base, MIB(2), 4, false);
	assert_int_equal(take(base, MIB(4), 5), 0);
	assert_false(clean); /* half of it */
	give_back(base, MIB(4), 5, true);
}

static void test_wrong(void **state)
{
	struct bh_ctl_range first = pool_range(0);
	struct bh_ctl_range two[2];

	assert_int_equal(take(first.base + PAGE_SIZE, MIB(2), 1), -EINVAL);
	assert_int_equal(take(first.base, MIB(1), 1), -EINVAL);
	assert_int_equal(take(first.base, 0, 1), -EINVAL);
	assert_int_equal(take(first.base, first.size + MIB(2), 1), -EINVAL);
	assert_int_equal(take(first.base, 0 - first.base, 1), -EINVAL);
	assert_int_equal(take(first.base + MIB(2), ~0ull - MIB(2) + 1, 1),
			 -EINVAL);
	assert_int_equal(take(0, MIB(2), 1), -EINVAL);
	assert_int_equal(pool_take(&first, 0, 1, &clean), -EINVAL);
	/* All or nothing, and nothing twice */
	two[0] = at(first.base, MIB(4));
	two[1] = at(first.base + MIB(2), MIB(2));
	assert_int_equal(pool_take(two, 2, 1, &clean), -EINVAL);
	two[1] = at(first.base + MIB(4), MIB(2));
	assert_int_equal(take(two[1].base, MIB(2), 9), 0);
	assert_int_equal(pool_take(two, 2, 1, &clean), -EBUSY);
	assert_int_equal(pool_free_bytes(), MIB(94));
	give_back(two[1].base, MIB(2), 9, true);
	assert_int_equal(pool_take(two, 2, 1, &clean), 0);
	give_back(two[0].base, MIB(4), 1, true);
	give_back(two[1].base, MIB(2), 1, true);
	assert_int_equal(pool_free_bytes(), MIB(96));
}

/* A look before the first part is taken, at all ranges at once */
static void test_check(void **state)
{
	struct bh_ctl_range first = pool_range(0);
	struct bh_ctl_range two[] = { at(first.base, MIB(4)),
				      at(first.base + MIB(4), MIB(2)) };

	assert_int_equal(pool_check(two, 2), 0);
	assert_int_equal(pool_check(two, 0), -EINVAL);
	two[1].base -= MIB(2);
	assert_int_equal(pool_check(two, 2), -EINVAL);
	two[1] = at(first.base + first.size, first.size);
	assert_int_equal(pool_check(two, 2), -EINVAL);
	assert_int_equal(pool_free_bytes(), MIB(96));
	/* Given in parts, and back in others */
	assert_int_equal(take(first.base, MIB(2), 1), 0);
	assert_int_equal(take(first.base + MIB(2), MIB(2), 1), 0);
	give_back(first.base, MIB(4), 1, true);
	assert_int_equal(pool_free_bytes(), MIB(96));
}

/* Whose the units are, in runs that end with a range */
static void test_runs(void **state)
{
	struct bh_ctl_range first = pool_range(0), run;
	u64 sum = 0, before = pool_changes();
	u32 unit = 0, runs = 0;
	u16 vm;

	assert_int_equal(take(first.base + MIB(2), MIB(4), 9), 0);
	assert_true(pool_changes() > before);
	while (pool_run(&unit, &run, &vm)) {
		u64 in = run.base - first.base;

		assert_int_equal(vm, in == MIB(2) ? 9 : POOL_NOBODY);
		assert_int_equal(run.size % MIB(2), 0);
		assert_true(in != MIB(2) || run.size == MIB(4));
		sum += run.size;
		runs++;
	}
	assert_int_equal(sum, pool_bytes());
	for (u32 i = 0; i < pool_range_count(); i++) {
		struct bh_ctl_range r = pool_range(i);

		assert_int_equal(pool_node(r.base), r.node);
		assert_int_equal(pool_node(r.base + r.size - 1), r.node);
	}
	assert_true(pool_node(0) < 0);
	assert_true(pool_node(~0ull) < 0);
	assert_true(runs >= pool_range_count() + 2);
	unit = ~0u;
	assert_false(pool_run(&unit, &run, &vm));
	give_back(first.base + MIB(2), MIB(4), 9, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nodes), cmocka_unit_test(test_scratch),
		cmocka_unit_test(test_units), cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_check), cmocka_unit_test(test_runs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
