/* SOURCES: hv/load/reload.c hv/load/loan.c hv/load/pages.c hv/load/e820.c mm/pmm.c mm/kmem.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The privileged guest can be loaded once more, though others have used up the
 * pool, and it its budget. Nobody else has what is kept for that. */
#include "hv/load/reload.h"

#include "hv/load/acpi_area.h"
#include "hv/load/load.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/vm.h"

#define POOL_BYTES MIB(4)
#define POOL_HPA   MIB(64)
#define MAX_PAGES  100u
#define EXTENTS    250u /* their map takes more than a page */
#define FILES      MIB(20)
#define VCPUS      500u /* so do their entries in the SRAT */

static u8 pool[POOL_BYTES] __aligned(MIB(2));
static struct guest_config config;
static struct budget greedy;
static void *all[POOL_BYTES / PAGE_SIZE];
static u32 taken;
static void *devices; /* of the guest's own: tables for them */

hpa_t virt_to_hpa(const void *va)
{
	return HPA((u64)((const u8 *)va - pool) + POOL_HPA);
}

void *hpa_to_virt(hpa_t hpa)
{
	return pool + (hpa.v - POOL_HPA);
}

u64 owner_bytes(enum owner_kind kind, u16 vm)
{
	return kind == OWNER_FILES ? FILES : 0;
}

const char *firmware_name(const struct guest_config *c)
{
	return NULL;
}

/* Other guests take every page, in the order in which memory is worn out */
static void use_up(void)
{
	u32 from = taken;

	while ((all[taken] = pmm_alloc(&greedy, 0)))
		taken++;
	for (u32 i = from; i < taken; i += 2) {
		pmm_free(&greedy, all[i], 0);
		all[i] = pmm_alloc(&greedy, 0);
		assert_non_null(all[i]);
	}
}

/* The guest has all that its budget gives */
static void use_budget(void)
{
	u64 pages = fake_vm.budget.max_pages - fake_vm.budget.used_pages;

	for (; pages; pages--) {
		void **page = pmm_alloc(&fake_vm.budget, 0);

		assert_non_null(page);
		*page = devices;
		devices = page;
	}
	assert_null(pmm_alloc(&fake_vm.budget, 0));
}

/* What acpi_rewrite.c, bzimage.c and fill.c have at one time */
static bool load(void)
{
	struct budget *b = &fake_vm.budget;
	u32 bytes = acpi_area_bytes(&fake_vm);
	struct e820_map map = { 0 };
	void *fill, *zero_page, *tables;
	bool done = false;

	fill = pmm_alloc(b, 0);
	tables = pmm_alloc_bytes(b, bytes);
	zero_page = pmm_alloc(b, 0);
	if (fill && tables && zero_page && !e820_make(&fake_vm, &map)) {
		done = map.count;
		e820_free(&fake_vm, &map);
	}
	pmm_free(b, zero_page, 0);
	pmm_free_bytes(b, tables, bytes);
	pmm_free(b, fill, 0);
	return done;
}

static int setup(void **state)
{
	fake_vm_init(2);
	fake_vm.config = &config;
	fake_vm.privileged = true;
	fake_vm.vcpu_count = VCPUS;
	fake_vm.budget.max_pages = MAX_PAGES;
	acpi.numa.node_count = 2;
	for (u32 i = 0; i < EXTENTS; i++)
		fake_owner_add(MIB(i * 2), MIB(1), OWNER_GUEST, 0);
	pmm_init(HPA(POOL_HPA), POOL_BYTES);
	return 0;
}

static void test_worn_out(void **state)
{
	u64 free, max;

	assert_int_equal(reload_set_aside(&fake_vm), 0);
	max = fake_vm.budget.max_pages;
	assert_in_range(max, 1, MAX_PAGES - 20);
	use_budget();
	use_up();
	assert_int_equal(pmm_spare_pages(), 0);
	free = pmm_free_pages();
	assert_in_range(free, 20, 64);
	assert_false(load());
	for (u32 life = 0; life < 5; life++) {
		reload_begin(&fake_vm);
		assert_true(load());
		use_up(); /* there is nothing for them */
		assert_true(load());
		/* Whatever ends it, and whoever says so once more */
		reload_end(&fake_vm);
		reload_end(&fake_vm);
		assert_false(load());
		assert_int_equal(fake_vm.budget.max_pages, max);
		assert_int_equal(fake_vm.budget.reserved_pages, 0);
		use_up();
		assert_int_equal(pmm_free_pages(), free);
	}
	assert_int_equal(fake_log_lines, 0);
}

/* It is the guest's to answer for, with its files; once, while it is lent */
static void test_bytes(void **state)
{
	u64 bytes = reload_bytes(&fake_vm);

	assert_in_range(bytes, FILES + 20 * PAGE_SIZE, FILES + 64 * PAGE_SIZE);
	reload_begin(&fake_vm);
	assert_int_equal(reload_bytes(&fake_vm) +
				 fake_vm.budget.reserved_pages * PAGE_SIZE,
			 bytes);
	reload_end(&fake_vm);
	fake_vm.privileged = false;
	assert_int_equal(reload_bytes(&fake_vm), 0);
	fake_vm.privileged = true;
}

/* Told twice that it is loaded, as after a load that was given up */
static void test_twice(void **state)
{
	u64 max = fake_vm.budget.max_pages, free = pmm_free_pages();

	reload_begin(&fake_vm);
	reload_begin(&fake_vm);
	assert_true(load());
	reload_end(&fake_vm);
	assert_int_equal(fake_vm.budget.max_pages, max);
	assert_int_equal(fake_vm.budget.reserved_pages, 0);
	assert_int_equal(pmm_free_pages(), free);
}

/* Some of it stays in use: it is made good as soon as the pool has it */
static void test_made_good(void **state)
{
	u64 free = pmm_free_pages();
	void *page;

	reload_begin(&fake_vm);
	page = pmm_alloc(&fake_vm.budget, 0);
	reload_end(&fake_vm);
	assert_non_null(page);
	reload_begin(&fake_vm);
	assert_true(strstr(fake_log_last, "in use"));
	assert_true(load());
	reload_end(&fake_vm);
	assert_int_equal(pmm_free_pages(), free - 1);
	pmm_free(&greedy, all[--taken], 0);
	fake_log_reset();
	reload_begin(&fake_vm);
	assert_int_equal(fake_log_lines, 0);
	reload_end(&fake_vm);
	use_up();
	assert_int_equal(pmm_free_pages(), free);
	pmm_free(&fake_vm.budget, page, 0);
}

/* Other guests' loads have their own (staged.h) */
static void test_not_for_others(void **state)
{
	u64 max = fake_vm.budget.max_pages;

	fake_vm.privileged = false;
	reload_begin(&fake_vm);
	assert_int_equal(fake_vm.budget.max_pages, max);
	assert_false(load());
	reload_end(&fake_vm);
	fake_vm.privileged = true;
}

/* A pool that has not so much left sets nothing aside */
static void test_no_room(void **state)
{
	u64 max = fake_vm.budget.max_pages;

	use_up();
	assert_int_equal(reload_set_aside(&fake_vm), -ENOMEM);
	assert_int_equal(fake_vm.budget.max_pages, max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worn_out),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_made_good),
		cmocka_unit_test(test_not_for_others),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
