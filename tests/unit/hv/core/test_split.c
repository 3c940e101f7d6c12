/* SOURCES: hv/core/split.c mm/pt.c mm/pt_exec.c mm/pt_format.c tests/unit/mm/table_pages.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with fewer tables for split pages than it has pages with code: the
 * oldest go back, none is used again while a core may still have it, and
 * whoever fetches gets on. */
#include "hv/core/split.h"

#include "hv/core/vcpu.h"
#include "lib/errno.h"
#include "mm/pool_size.h"
#include "mm/pt_format.h"
#include "tests/unit/fakes/vm.h"
#include "tests/unit/mm/table_pages.h"

#define RWX   (PT_R | PT_W | PT_X)
#define PAGES 48u /* of 2 MiB, each with code; tables of TABLE_PAGES stay */
#define MANY  (2 * VM_FAN + 5)

static struct vm *const vm = &fake_vm;
static struct vcpu crowd[MANY];
static struct pcpu cores[MANY];
static u32 kicks;

void pcpu_kick(struct pcpu *cpu, u32 bits)
{
	assert_int_equal(bits, 0);
	kicks++;
}

void *kmem_alloc(struct budget *b, size_t size)
{
	return size ? calloc(1, size) : NULL;
}

void kmem_free(struct budget *b, void *p, size_t size)
{
	free(p);
}

static int setup(void **state)
{
	fake_vm_init(2);
	table_pages_reset();
	kicks = 0;
	split_share(0, 0);
	vm->slots[0] = (struct vm_slot){ .size = PAGES * PAGE_2M };
	vm->slot_count = 1;
	assert_int_equal(pt_init(&vm->npt, &pt_ept, &vm->budget, 2), 0);
	vm->npt.split_exec = true;
	assert_int_equal(pt_map(&vm->npt, 0, HPA(0), PAGES * PAGE_2M, RWX), 0);
	assert_int_equal(split_create(vm), 0);
	return 0;
}

static int teardown(void **state)
{
	split_destroy(vm);
	pt_destroy(&vm->npt);
	assert_int_equal(vm->budget.used_pages, 0);
	for (u32 i = 0; i < ARRAY_SIZE(fake_pcpus); i++) {
		fake_pcpus[i].in_guest = false;
		fake_pcpus[i].current = NULL;
	}
	return 0;
}

/* What a fetch from there finds in the table */
static bool executes(u64 gpa)
{
	const u64 *table = vm->npt.root;

	for (u32 level = 4;; level--) {
		u64 e = table[gpa >> (12 + 9 * (level - 1)) & 511];

		assert_true(e & EPTE_R);
		if (level == 1 || (e & EPTE_PS)) {
			u64 mask = level == 1 ? PAGE_MASK : PAGE_2M - 1;

			assert_int_equal(e & PTE_ADDR & ~mask, gpa & ~mask);
			assert_true(e & EPTE_W);
			assert_false((e & EPTE_X) && level > 1);
			return e & EPTE_X;
		}
		table = hpa_to_virt(HPA(e & PTE_ADDR));
	}
}

static u32 split_now(void)
{
	u32 count = 0;

	for (u64 i = 0; i < PAGES; i++)
		count += executes(i * PAGE_2M);
	return count;
}

/* As a guest does: it fetches until it can */
static u32 fetch(u64 gpa)
{
	u32 exits = 0;

	while (!executes(gpa)) {
		assert_int_equal(split_fetch(vm, GPA(gpa)), 0);
		assert_true(++exits < 10);
	}
	return exits;
}

static u64 tables(void)
{
	return vm->budget.used_pages - 3; /* root, two more above leaves */
}

static void enter(u32 i)
{
	fake_pcpus[i].in_guest = true;
	fake_pcpus[i].current = &fake_vcpus[i];
}

/* vCPU @i exits, and takes its events */
static void exit_and_take(u32 i)
{
	fake_pcpus[i].in_guest = false;
	fake_vcpus[i].events = 0;
}

static void fill(void)
{
	for (u64 i = 0; i < vm->split.most; i++)
		assert_int_equal(fetch(i * PAGE_2M), 1);
	assert_int_equal(split_now(), vm->split.most);
}

static void test_most(void **state)
{
	assert_int_equal(split_most(vm), SPLIT_TABLES_MIN(2));
	/* A tenth of the machine's pages, a tenth of the tables */
	split_share(100, PAGES * PAGE_2M * 10);
	assert_int_equal(split_most(vm), SPLIT_TABLES_MIN(2) + 10);
	/* Never more than it has pages, and enough for one instruction */
	split_share(1000, PAGES * PAGE_2M);
	assert_int_equal(split_most(vm), PAGES);
	vm->slots[0].size = PAGE_2M;
	assert_int_equal(split_most(vm), 2);
	/* What is set aside: where leaves of 1 GiB may be split, one each */
	vm->slots[0].size = 3 * PAGE_1G;
	assert_int_equal(split_pages(vm), split_most(vm) + 3);
	vm->npt.split_exec = false;
	assert_int_equal(split_pages(vm), 0);
}

/* All of it is code, and runs, with tables for a part */
static void test_more_than_the_bound(void **state)
{
	u32 exits = 0;

	for (u32 round = 0; round < 3; round++)
		for (u64 i = 0; i < PAGES; i++) {
			exits += fetch(i * PAGE_2M + i * PAGE_SIZE);
			assert_true(tables() <= vm->split.most);
			/* What came last is not what goes first */
			if (i)
				assert_true(executes((i - 1) * PAGE_2M));
		}
	assert_true(vm->split.most < PAGES);
	/* One exit more for each batch */
	assert_true(exits <= 3 * PAGES + 3 * PAGES / (VM_SPLIT_BATCH / 2));
	assert_true(fake_vcpus[0].events & VE_FLUSH);
	assert_true(fake_vcpus[1].events & VE_FLUSH);
	assert_int_equal(kicks, 0);
}

/* While all fit, nothing ever goes back */
static void test_all_fit(void **state)
{
	split_destroy(vm);
	split_share(1000, PAGES * PAGE_2M);
	assert_int_equal(split_create(vm), 0);
	for (u32 round = 0; round < 2; round++)
		for (u64 i = 0; i < PAGES; i++)
			assert_int_equal(fetch(i * PAGE_2M), round ? 0 : 1);
	assert_int_equal(split_now(), PAGES);
	assert_int_equal(fake_vcpus[0].events, 0);
}

/* Another vCPU is in the guest: until it has left, no table is anyone's */
static void test_others_let_go(void **state)
{
	u64 next = vm->split.most * PAGE_2M;

	fill();
	enter(1);
	assert_int_equal(split_fetch(vm, GPA(next)), 0);
	assert_int_equal(kicks, 1);
	assert_int_equal(split_now(), vm->split.most - vm->split.out_count);
	for (u32 i = 0; i < 5; i++) {
		assert_int_equal(split_fetch(vm, GPA(next)), 0);
		assert_false(executes(next));
		assert_int_equal(tables(), vm->split.most);
	}
	assert_int_equal(kicks, 1);
	exit_and_take(1);
	enter(1); /* and is back already */
	assert_int_equal(split_fetch(vm, GPA(next)), 0);
	assert_true(tables() < vm->split.most);
	assert_int_equal(split_fetch(vm, GPA(next)), 0);
	assert_true(executes(next));
	assert_false(fake_vcpus[1].events & VE_FLUSH);
}

/* It has left and not looked yet: it will, before it is back */
static void test_left(void **state)
{
	fill();
	enter(1);
	assert_int_equal(split_fetch(vm, GPA(vm->split.most * PAGE_2M)), 0);
	assert_int_not_equal(vm->split.out_count, 0);
	fake_pcpus[1].in_guest = false;
	assert_int_equal(split_fetch(vm, GPA(vm->split.most * PAGE_2M)), 0);
	assert_int_equal(vm->split.out_count, 0);
	assert_true(fake_vcpus[1].events & VE_FLUSH);
}

/* Its core has another's vCPU: nobody is kept waiting, nor disturbed */
static void test_core_of_another(void **state)
{
	fill();
	enter(1);
	fake_pcpus[1].current = &crowd[0];
	assert_int_equal(fetch(vm->split.most * PAGE_2M), 2);
	assert_int_equal(kicks, 0);
	assert_true(fake_vcpus[1].events & VE_FLUSH);
}

/* A part of it was unmapped: that stays so, and the table with it */
static void test_unmapped_part(void **state)
{
	const u64 hole = PAGE_2M + 0x5000;
	u64 left, used;
	u32 attrs;
	hpa_t hpa;

	fill();
	assert_int_equal(pt_unmap(&vm->npt, hole, PAGE_SIZE), 0);
	for (u64 i = vm->split.most; i < PAGES; i++)
		(void)fetch(i * PAGE_2M);
	assert_int_equal(pt_query(&vm->npt, hole, &hpa, &attrs, &left),
			 -ENOENT);
	assert_int_equal(split_fetch(vm, GPA(hole)), -ENOENT);
	assert_true(executes(PAGE_2M));
	assert_false(executes(0));
	/* It counts no longer; nor does it come back to the ring */
	used = vm->split.used;
	assert_int_equal(split_fetch(vm, GPA(PAGE_2M)), 0);
	assert_int_equal(vm->split.used, used);
}

/* Neither is what has other rights now, or is another page */
static void test_changed_part(void **state)
{
	const u64 at = PAGE_2M + 0x5000;
	u32 attrs[] = { PT_R | PT_X, PT_R | PT_W, RWX | PT_UC, RWX };
	u64 hpas[] = { at, at, at, at + PAGE_SIZE };

	assert_int_equal(fetch(at), 1);
	for (u32 i = 0; i < ARRAY_SIZE(attrs); i++) {
		assert_int_equal(pt_unmap(&vm->npt, at, PAGE_SIZE), 0);
		assert_int_equal(
			pt_map(&vm->npt, at, HPA(hpas[i]), PAGE_SIZE, attrs[i]),
			0);
		assert_null(pt_merge(&vm->npt, at));
	}
	/* As it was: it may. What is large or not there may not. */
	assert_int_equal(pt_unmap(&vm->npt, at, PAGE_SIZE), 0);
	assert_int_equal(pt_map(&vm->npt, at, HPA(at), PAGE_SIZE, RWX), 0);
	pmm_free(&vm->budget, pt_merge(&vm->npt, at), 0);
	assert_false(executes(at));
	assert_null(pt_merge(&vm->npt, at));
	assert_null(pt_merge(&vm->npt, PAGES * PAGE_2M));
	assert_null(pt_merge(&vm->npt, PAGE_1G));
}

/* Others have had the memory: one's own is taken back earlier */
static void test_no_memory(void **state)
{
	assert_int_equal(fetch(0), 1);
	assert_int_equal(fetch(PAGE_2M), 1);
	table_pages_left = 0;
	assert_int_equal(fetch(2 * PAGE_2M), 2);
	assert_false(executes(0));
}

static void test_nothing_to_take_back(void **state)
{
	table_pages_left = 0;
	assert_int_equal(split_fetch(vm, GPA(0)), -ENOMEM);
	assert_false(executes(0));
}

static void test_many_vcpus(void **state)
{
	u32 calls = 0;

	memset(crowd, 0, sizeof(crowd));
	memset(cores, 0, sizeof(cores));
	fill();
	for (u32 i = 0; i < MANY; i++) {
		crowd[i].entity.cpu = &cores[i];
		cores[i].current = &crowd[i];
		cores[i].in_guest = i > 0;
		vm->vcpus[i] = &crowd[i];
	}
	vm->vcpu_count = MANY;
	do {
		u32 before = kicks;

		assert_int_equal(split_fetch(vm, GPA(vm->split.most * PAGE_2M)),
				 0);
		assert_true(kicks - before <= VM_FAN);
		for (u32 i = 1; i < MANY; i++)
			crowd[i].events = 0;
		assert_true(++calls < 10);
	} while (vm->split.out_count);
	assert_int_equal(kicks, MANY - 1);
	assert_in_range(calls, 3, 5);
}

/* Two run code that lies on the edge of pages, all over, with the fewest tables
 * there can be, and each waits for the other to let go */
static void test_both_get_on(void **state)
{
	u32 done[2] = { 0 }, turns = 0;

	while (done[0] < 200 || done[1] < 200) {
		u32 i = turns++ % 2;
		u64 edge = (1 + (done[i] * 7 + i * 3) % (PAGES - 1)) * PAGE_2M;
		u64 at = executes(edge - 1) ? edge : edge - 1;

		exit_and_take(i);
		if (executes(edge - 1) && executes(edge))
			done[i]++;
		else
			assert_int_equal(split_fetch(vm, GPA(at)), 0);
		enter(i);
		assert_true(turns < 200 * 20);
	}
}

/* It ends while some are on their way: teardown finds none lost */
static void test_ends_meanwhile(void **state)
{
	fill();
	enter(1);
	assert_int_equal(split_fetch(vm, GPA(vm->split.most * PAGE_2M)), 0);
	assert_int_not_equal(vm->split.out_count, 0);
}

/* A CPU that is not affected */
static void test_not_affected(void **state)
{
	vm->npt.split_exec = false;
	assert_int_equal(split_fetch(vm, GPA(0)), -ENOENT);
	split_destroy(vm);
	assert_int_equal(split_create(vm), 0);
	assert_null(vm->split.ring);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_most),           TEST(test_more_than_the_bound),
		TEST(test_all_fit),        TEST(test_others_let_go),
		TEST(test_left),           TEST(test_core_of_another),
		TEST(test_unmapped_part),  TEST(test_changed_part),
		TEST(test_no_memory),      TEST(test_nothing_to_take_back),
		TEST(test_many_vcpus),     TEST(test_both_get_on),
		TEST(test_ends_meanwhile), TEST(test_not_affected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
