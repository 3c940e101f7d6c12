/* SOURCES: mm/pt.c mm/pt_format.c tests/unit/mm/table_pages.c tests/unit/mm/map_model.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What other cores can see while page tables change. The tables remember each
 * write; after each one, every address that it can concern is looked up as the
 * CPU does. What is found (address, rights, memory type) must be the old
 * mapping or the new one, a table must never leave the tree, and at the end all
 * of the address space is as asked. PT_SEED and PT_ROUNDS of the environment
 * make other and longer random runs. Over 400 lines: one history and its judge
 * serve every operation.
 */
#include "lib/errno.h"
#include "mm/pt_format.h"
#include "tests/unit/fakes/mmu.h"
#include "tests/unit/fakes/watch.h"
#include "tests/unit/mm/map_model.h"
#include "tests/unit/mm/table_pages.h"
#include "tests/unit/test.h"

#define ROUNDS 40u
#define RW     (PT_R | PT_W)

static const struct pt_format *const formats[MMU_FORMATS] = { &pt_host, &pt_npt,
							      &pt_ept };
static enum mmu_format format;
static struct page_table pt;
static struct budget budget;
static struct model before, after; /* the change under test */
static char change[64];

/* The tables at a moment of the history, and where each one is in the tree */
static u64 image[TABLE_PAGES][PT_ENTRIES];
static struct {
	u32 level; /* 0: not in the tree */
	u64 base;
} place[TABLE_PAGES];

/* ---- what a CPU finds ---- */

static const u64 *image_table(u64 hpa)
{
	u64 page = (hpa - TABLE_HPA) / PAGE_SIZE;

	return page < TABLE_PAGES ? image[page] : NULL;
}

static u32 page_of(const void *table)
{
	return (u32)((const u64(*)[PT_ENTRIES])table - table_pages);
}

static u32 wanted_rights(u32 attrs)
{
	u32 rights = MMU_R | (attrs & PT_W ? MMU_W : 0u) |
		     (attrs & PT_X ? MMU_X : 0u);

	/* Every access by a guest's tables is a user's, none by the host's */
	return format == MMU_HOST ? rights : rights | MMU_USER;
}

static u32 wanted_type(u32 attrs)
{
	return attrs & PT_WC ? MEM_WC : attrs & PT_UC ? MEM_UC : MEM_WB;
}

/* Does @found, at @addr inside of it, agree with @m there? */
static bool agrees(const struct model *m, const struct mmu_range *found,
		   u64 addr, u64 *left)
{
	const struct run *r = model_at(m, addr, left);

	if (!r || !found->present)
		return !r && !found->present;
	return found->hpa + (addr - found->base) == r->hpa + (addr - r->addr) &&
	       found->rights == wanted_rights(r->attrs) &&
	       found->type == wanted_type(r->attrs) &&
	       found->global == !!(r->attrs & PT_GLOBAL);
}

static void check_found(const struct mmu_range *found, u64 addr, u64 end,
			const char *when)
{
	u64 old_left, new_left;

	while (addr < end) {
		bool is_old = agrees(&before, found, addr, &old_left);
		bool is_new = agrees(&after, found, addr, &new_left);

		if (found->wrong || (!is_old && !is_new))
			fail_msg(
				"%s, %s, %s: %llx maps %s%llx, rights %x, type "
				"%u: %s",
				pt.fmt->name, change, when, addr,
				found->present ? "" : "nothing, not ",
				found->hpa + (addr - found->base),
				found->rights, found->type,
				found->wrong ? found->wrong
					     : "neither old nor new");
		addr += MIN(old_left, new_left);
	}
}

/* All of [addr, addr + size), by the image */
static void check_range(u64 addr, u64 size, const char *when)
{
	u64 end = addr + size, root = virt_to_hpa(pt.root).v;

	while (addr < end) {
		struct mmu_range r = mmu_walk(format, image_table, root, addr);
		u64 next = MIN(r.base + r.size, end);

		check_found(&r, addr, next, when);
		addr = next;
	}
}

/* ---- the history ---- */

/* A table is at one place: two would share what is mapped later */
static void place_table(u32 page, u32 level, u64 base)
{
	assert_int_equal(place[page].level, 0);
	place[page].level = level;
	place[page].base = base;
	for (u32 i = 0; i < PT_ENTRIES; i++) {
		u64 e = image[page][i];

		if (mmu_kind(format, e, level) == MMU_TABLE)
			place_table(page_of(hpa_to_virt(HPA(e & PTE_ADDR))),
				    level - 1, base + i * mmu_span(level));
	}
}

static void place_all(void)
{
	memset(place, 0, sizeof(place));
	place_table(page_of(pt.root), PT_LEVELS, 0);
}

/* The image becomes what it was after @w. What it can concern is below the
 * entry, and nothing if its table is not in the tree yet. */
static void replay(const struct watch_write *w, u32 number)
{
	u64 offset = (u64)(w->at - table_pages[0]);
	u32 page = (u32)(offset / PT_ENTRIES), i = offset % PT_ENTRIES;
	u32 level = place[page].level;
	char when[32];

	assert_int_equal(image[page][i], w->was);
	image[page][i] = w->is;
	if (!level)
		return;
	/* Another core may hold the address of a table that was there */
	assert_int_not_equal(mmu_kind(format, w->was, level), MMU_TABLE);
	if (mmu_kind(format, w->is, level) == MMU_TABLE)
		place_all();
	snprintf(when, sizeof(when), "write %u", number);
	check_range(place[page].base + i * mmu_span(level), mmu_span(level),
		    when);
}

static void history_begin(void)
{
	memcpy(image, table_pages, sizeof(image));
	place_all();
	watch_begin(table_pages, sizeof(table_pages));
}

/* Of the change from before to after, which is done; @err: it was refused, and
 * all must be as before */
static void history_end(int err)
{
	const struct watch_write *writes;
	u32 count = watch_end(&writes);

	for (u32 n = 0; n < count; n++)
		replay(&writes[n], n);
	assert_memory_equal(image, table_pages, sizeof(image));
	if (err)
		after = before;
	else
		before = after;
	check_range(0, PT_ADDR_MAX, "in the end");
}

/* The calls under test, each with its history. @may_lack: memory may run out */

static int map(u64 addr, u64 hpa, u64 size, u32 attrs, bool may_lack)
{
	bool taken = !model_is_empty(&before, addr, size);
	int err;

	snprintf(change, sizeof(change), "map %llx + %llx", addr, size);
	if (!taken)
		model_add(&after, (struct run){ addr, size, hpa, attrs });
	history_begin();
	err = pt_map(&pt, addr, HPA(hpa), size, attrs);
	history_end(err);
	if (taken)
		assert_int_equal(err, -EEXIST);
	else if (!may_lack || err)
		assert_int_equal(err, may_lack ? -ENOMEM : 0);
	return err;
}

static int unmap(u64 addr, u64 size, bool may_lack)
{
	int err;

	snprintf(change, sizeof(change), "unmap %llx + %llx", addr, size);
	model_remove(&after, addr, size);
	history_begin();
	err = pt_unmap(&pt, addr, size);
	history_end(err);
	if (!may_lack || err)
		assert_int_equal(err, may_lack ? -ENOMEM : 0);
	return err;
}

static void slots(u64 addr)
{
	snprintf(change, sizeof(change), "slots at %llx", addr);
	history_begin();
	(void)!pt_slots_4k(&pt, addr);
	history_end(0);
}

/* ---- the tests ---- */

static int fresh(void **state)
{
	table_pages_reset();
	budget = (struct budget){ 0 };
	before.count = after.count = 0;
	return 0;
}

/* Also after a failure in the middle of a history */
static int stop(void **state)
{
	const struct watch_write *writes;

	(void)watch_end(&writes);
	return 0;
}

static void create(u32 max_level)
{
	fresh(NULL);
	assert_int_equal(pt_init(&pt, formats[format], &budget, max_level), 0);
}

static void destroy(void)
{
	pt_destroy(&pt);
	assert_int_equal(budget.used_pages, 0);
}

#define EACH_FORMAT for (format = 0; format < MMU_FORMATS; format++)

/* The recorder itself */
static void test_writes_are_seen_in_order(void **state)
{
	const struct watch_write *w;
	volatile u64 *page = table_pages[3];

	fresh(state);
	watch_zero_page(table_pages[3]);
	watch_begin(table_pages, sizeof(table_pages));
	page[7] = 1;
	page[8] = 2;
	page[8] = 2; /* changes nothing */
	*(volatile u8 *)&page[7] = 0x55;
	page[8] = 0;
	assert_int_equal(watch_end(&w), 4);
	assert_ptr_equal(w[0].at, &page[7]);
	assert_int_equal(w[0].is, 1);
	assert_ptr_equal(w[1].at, &page[8]);
	assert_int_equal(w[2].was, 1);
	assert_int_equal(w[2].is, 0x55);
	assert_int_equal(w[3].was, 2);
	page[9] = 3; /* nobody looks any more */
}

static void test_map(void **state)
{
	EACH_FORMAT
	{
		create(3);
		map(0x1000, 0x5000, PAGE_SIZE, PT_R, false);
		map(0x2000, 0x9000, 4 * PAGE_SIZE, RW | PT_X, false);
		map(0x1000, 0x9000, 3 * PAGE_SIZE, RW, false); /* is taken */
		map(0x4000, 0x9000, PAGE_2M, RW, false);       /* partly */
		map(PAGE_2M, PAGE_1G, PAGE_2M, RW | PT_UC, false);
		map(PAGE_1G, 0, 2 * PAGE_1G, PT_R | PT_X, false);
		/* All sizes, from the middle of a table to that of another */
		map(4 * PAGE_1G - 2 * PAGE_2M - 3 * PAGE_SIZE,
		    8 * PAGE_1G - 2 * PAGE_2M - 3 * PAGE_SIZE,
		    PAGE_1G + 3 * PAGE_2M + 7 * PAGE_SIZE, RW | PT_WC, false);
		/* Over the edge of a level 4 entry */
		map(512 * PAGE_1G - PAGE_SIZE, PAGE_2M - PAGE_SIZE,
		    PAGE_2M + 2 * PAGE_SIZE, PT_R, false);
		destroy();
	}
}

static void test_unmap_splits(void **state)
{
	EACH_FORMAT
	{
		create(3);
		map(0, 0, 2 * PAGE_1G, RW | PT_X | PT_UC, false);
		unmap(PAGE_1G + 0x3000, PAGE_SIZE, false);
		unmap(PAGE_1G + 0x3000, PAGE_SIZE, false); /* is not there */
		/* Both edges in the middle of large pages */
		unmap(PAGE_1G - PAGE_2M - PAGE_SIZE, 2 * PAGE_2M, false);
		/* Something else in the hole, by other rights and type */
		map(PAGE_1G - PAGE_2M, 7 * PAGE_1G, PAGE_2M, PT_R, false);
		map(PAGE_1G + 0x3000, 0x3000, PAGE_SIZE, RW, false);
		unmap(0, PT_ADDR_MAX, false);
		/* The tables are still there, empty */
		map(0, PAGE_1G, 2 * PAGE_1G, PT_R, false);
		destroy();
	}
}

/* A change that runs out of memory at any of its tables */
static void test_no_memory(void **state)
{
	EACH_FORMAT
	{
		for (u32 left = 0; left < 8; left++) {
			create(3);
			table_pages_left = left;
			map(PAGE_1G - PAGE_2M - PAGE_SIZE,
			    PAGE_1G - PAGE_2M - PAGE_SIZE,
			    PAGE_1G + 2 * PAGE_2M, RW, true);
			table_pages_left = TABLE_PAGES;
			destroy();
		}
		for (u32 left = 0; left < 5; left++) {
			create(3);
			map(0, 0, 2 * PAGE_1G, RW, false);
			table_pages_left = left;
			unmap(PAGE_SIZE, PAGE_1G, true);
			table_pages_left = TABLE_PAGES;
			destroy();
		}
	}
}

static void test_tables_for_slots(void **state)
{
	EACH_FORMAT
	{
		create(2);
		map(PAGE_2M, 0, PAGE_2M, RW, false);
		slots(0);
		slots(PAGE_2M); /* a large page: refused */
		slots(512 * PAGE_1G);
		slots(3 * PAGE_1G + 5 * PAGE_2M);
		map(3 * PAGE_1G, 0, PAGE_1G, RW, false);
		destroy();
	}
}

static u64 rng;

static u64 rnd(u64 below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % below;
}

/* An address and a size, of one of the three page sizes, near the edges of the
 * larger ones, below 4 GiB */
static u64 rnd_range(u64 *size)
{
	switch (rnd(6)) {
	case 0:
		*size = PAGE_1G * (1 + rnd(2));
		return rnd(3) * PAGE_1G;
	case 1:
	case 2:
		*size = PAGE_2M * (1 + rnd(4));
		return rnd(3) * PAGE_1G + (508 + rnd(8)) * PAGE_2M;
	default:
		*size = PAGE_SIZE * (1 + rnd(12));
		return (1 + rnd(2)) * PAGE_1G - PAGE_2M + rnd(4) * PAGE_2M +
		       (504 + rnd(16)) * PAGE_SIZE;
	}
}

static u32 rnd_attrs(void)
{
	static const u32 types[] = { PT_WB, PT_WB, PT_UC, PT_WC };
	u32 attrs = PT_R | (rnd(2) ? PT_W : 0u) | (rnd(2) ? PT_X : 0u) |
		    types[rnd(4)];

	return attrs | (format == MMU_HOST && rnd(2) ? PT_GLOBAL : 0u);
}

static void random_step(void)
{
	u64 size, addr = rnd_range(&size);
	/* A distance that large pages can have; for less than 1 GiB, any */
	u64 unit = size >= PAGE_1G || rnd(4) ? PAGE_2M : PAGE_SIZE;
	u64 hpa = addr + rnd(4) * unit;
	bool lacks = rnd(5) == 0;

	table_pages_left = lacks ? (u32)rnd(3) : TABLE_PAGES;
	if (rnd(20) == 0)
		slots(addr);
	else if (rnd(2) && !model_is_empty(&before, addr, size))
		unmap(addr, size, lacks);
	else
		map(addr, hpa, size, rnd_attrs(), lacks);
	table_pages_left = TABLE_PAGES;
}

static u64 number(const char *name, u64 otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void test_random(void **state)
{
	u64 rounds = number("PT_ROUNDS", ROUNDS);

	EACH_FORMAT
	{
		rng = number("PT_SEED", 1) * 0x9e3779b97f4a7c15ull | 1;
		create(2 + (u32)rnd(2));
		for (u64 n = 0; n < rounds; n++) {
			random_step();
			/* Tables stay, so that there are none left some day */
			if (budget.used_pages < TABLE_PAGES / 2)
				continue;
			destroy();
			create(2 + (u32)rnd(2));
		}
		destroy();
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, fresh, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_writes_are_seen_in_order),
		T(test_map),
		T(test_unmap_splits),
		T(test_no_memory),
		T(test_tables_for_slots),
		T(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
