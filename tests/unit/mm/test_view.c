/* SOURCES: mm/view.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A view: what follows in memory follows there, and large pages stay large */
#include "mm/view.h"

#include "lib/errno.h"
#include "mm/hostmap.h"
#include "mm/hostmap_pt.h"
#include "mm/pt.h"
#include "tests/unit/test.h"

#define VA (0xffffc00000000000ull + MIB(1) * 3)

static u64 mapped, unmapped, last_va;
static u32 loads;

u64 hostmap_place(u64 bytes)
{
	return bytes > GIB(1024) ? 0 : VA;
}

int hostmap_map(u64 va, hpa_t hpa, u64 size, u32 attrs)
{
	assert_int_equal(attrs, PT_R);
	assert_int_equal((va ^ hpa.v) & (PAGE_2M - 1), 0);
	mapped += size;
	last_va = va;
	return 0;
}

int hostmap_unmap(u64 va, u64 size)
{
	assert_int_equal(va, VA);
	unmapped = size;
	return 0;
}

void hostmap_load_cpu(void)
{
	loads++;
}

static void test_add(void **state)
{
	struct view v = { 0 };
	const u8 *a, *b;

	assert_int_equal(view_init(&v, PAGE_SIZE), -EINVAL);
	assert_int_equal(view_init(&v, GIB(2048)), -ENOMEM);
	assert_int_equal(view_init(&v, MIB(16)), 0);
	assert_int_equal(view_add(&v, HPA(MIB(4) + 0x5000), 0x3000, &a), 0);
	assert_int_equal((u64)a, last_va);
	/* In a row */
	assert_int_equal(view_add(&v, HPA(MIB(4) + 0x8000), 0x1000, &b), 0);
	assert_ptr_equal(b, a + 0x3000);
	assert_int_equal(view_add(&v, HPA(MIB(40)), MIB(2), &b), 0);
	assert_true(b > a);
	assert_int_equal(view_add(&v, HPA(MIB(40) + 1), MIB(2), &b), -EINVAL);
	assert_int_equal(view_add(&v, HPA(MIB(40)), 0, &b), -EINVAL);
	assert_int_equal(view_add(&v, HPA(MIB(40)), MIB(16), &b), -ENOSPC);
	assert_int_equal(view_add(&v, HPA(MIB(40)), ~0xfffull, &b), -ENOSPC);
	assert_int_equal(mapped, MIB(2) + 0x4000);
	view_flush_here();
	assert_int_equal(loads, 1);
	view_clear(&v);
	assert_true(unmapped >= (u64)b - VA && IS_ALIGNED(unmapped, PAGE_2M));
	unmapped = 0;
	view_clear(&v); /* there is nothing */
	assert_int_equal(unmapped, 0);
	assert_int_equal(view_add(&v, HPA(MIB(4) + 0x5000), 0x3000, &b), 0);
	assert_ptr_equal(a, b); /* the tables are there */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_add) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
