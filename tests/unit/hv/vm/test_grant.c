/* SOURCES: hv/vm/grant.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What of the pool the privileged guest reaches: what is granted, and else the
 * scratch frame */
#include "hv/vm/grant.h"

#include "hv/vm/pool.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/vm.h"

#define BASE    (GIB(3) - MIB(4)) /* of 8 MiB, over the edge of a GiB */
#define UNITS   4u
#define SCRATCH MIB(2)

struct vm *vm_privileged = &fake_vm;
static u64 table[UNITS]; /* to where; 0: not mapped */
static u32 attrs_seen, pages_left;
static bool has_table[UNITS]; /* as the last mapping made them */

static u64 *entry(u64 addr)
{
	assert_true(addr >= BASE && addr < BASE + UNITS * POOL_UNIT);
	assert_true(IS_ALIGNED(addr, POOL_UNIT));
	return &table[(addr - BASE) / POOL_UNIT];
}

u32 pool_range_count(void)
{
	return 1;
}

struct bh_ctl_range pool_range(u32 i)
{
	return (struct bh_ctl_range){ .base = BASE, .size = MIB(8) };
}

hpa_t pool_scratch(void)
{
	return HPA(SCRATCH);
}

int pt_map(struct page_table *pt, u64 addr, hpa_t hpa, u64 size, u32 attrs)
{
	assert_int_equal(size, POOL_UNIT);
	attrs_seen |= attrs;
	if (*entry(addr))
		return -EEXIST;
	if (!pages_left)
		return -ENOMEM;
	*entry(addr) = hpa.v;
	for (u32 i = 0; i < UNITS; i++)
		has_table[i] |= pt->max_level > 1
					? (BASE + i * POOL_UNIT) / PAGE_1G ==
						  addr / PAGE_1G
					: BASE + i * POOL_UNIT == addr;
	return 0;
}

int pt_unmap(struct page_table *pt, u64 addr, u64 size)
{
	assert_int_equal(size, POOL_UNIT);
	*entry(addr) = 0;
	return 0;
}

int pt_query(const struct page_table *pt, u64 addr, hpa_t *hpa, u32 *attrs,
	     u64 *left)
{
	*hpa = HPA(*entry(addr));
	return hpa->v ? 0 : -ENOENT;
}

static int setup(void **state)
{
	fake_vm_init(1);
	fake_vm.privileged = true;
	memset(table, 0, sizeof(table));
	attrs_seen = 0;
	pages_left = 100;
	fake_log_reset();
	return 0;
}

static void test_prepare(void **state)
{
	/* Also on a CPU that knows pages of 4 KiB alone */
	for (u32 level = 3; level; level--) {
		memset(has_table, 0, sizeof(has_table));
		fake_vm.npt.max_level = level;
		assert_int_equal(grant_prepare(&fake_vm), 0);
		for (u32 i = 0; i < UNITS; i++) {
			assert_int_equal(table[i], 0);
			assert_true(has_table[i]);
		}
	}
	pages_left = 0;
	assert_int_equal(grant_prepare(&fake_vm), -ENOMEM);
}

static void test_grant(void **state)
{
	assert_false(grant_unit(BASE));
	assert_int_equal(table[0], BASE);
	assert_int_equal(table[1], 0);
	grant_end(BASE);
	assert_int_equal(table[0], 0);
	assert_int_equal(attrs_seen, PT_R | PT_W | PT_X);
}

static void test_touch(void **state)
{
	u64 before = grant_touches();

	assert_int_equal(grant_touched(&fake_vm, BASE + MIB(2) + 12345), 0);
	assert_int_equal(table[1], SCRATCH);
	assert_int_equal(fake_log_warnings, 1);
	/* Another vCPU came here, too */
	assert_int_equal(grant_touched(&fake_vm, BASE + MIB(2)), 0);
	assert_int_equal(grant_touches(), before + 1);
	assert_true(grant_unit(BASE + MIB(2))); /* others may know scratch */
	assert_int_equal(table[1], BASE + MIB(2));
	/* Granted meanwhile: it stays */
	assert_int_equal(grant_touched(&fake_vm, BASE + MIB(2)), 0);
	assert_int_equal(table[1], BASE + MIB(2));
}

static void test_no_code(void **state)
{
	fake_vm.npt.split_exec = true;
	grant_unit(BASE);
	assert_int_equal(attrs_seen, PT_R | PT_W);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_prepare, setup),
		cmocka_unit_test_setup(test_grant, setup),
		cmocka_unit_test_setup(test_touch, setup),
		cmocka_unit_test_setup(test_no_code, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
