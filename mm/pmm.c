/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page pool, see pmm.h: a buddy allocator over at most POOL_REGIONS
 * contiguous regions. Called by everything that needs hypervisor memory.
 *
 * A region begins with one state byte for each of its pages. A free block's
 * links lie in its first page. They are page numbers, because a pointer would
 * not last. The pool is reached through the loader's identity map at first, and
 * through the direct map once hostmap_init() has switched.
 *
 * Lock: pmm_lock protects regions, lists, states and budgets; a leaf.
 * Invariant: the free pages are at least those set aside.
 */
#include "mm/pmm.h"

#include "arch/x86/cpu/spinlock.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"

#define POOL_REGIONS 16u
#define MAX_ORDER    9u /* 2 MiB */
#define NO_PAGE      (~0ull)

/* State byte of a block's first page; the other pages of a block hold TAIL */
#define STATE_TAIL 0x00u
#define STATE_FREE 0x40u /* | order */
#define STATE_USED 0x80u /* | order */

struct region {
	u64 first; /* page number */
	u64 pages;
	u64 usable; /* first page after the state bytes */
};

struct free_block {
	u64 next, prev; /* page numbers or NO_PAGE */
};

struct budget pmm_self;

static struct region regions[POOL_REGIONS];
static u32 region_count;
static u64 free_list[MAX_ORDER + 1];
static u64 free_pages;
static u64 reserved_pages; /* of all budgets; at most free_pages */
static struct spinlock pmm_lock;

static void *page_va(u64 page)
{
	return hpa_to_virt(HPA(page << PAGE_SHIFT));
}

static struct free_block *block_of(u64 page)
{
	return page_va(page);
}

static const struct region *region_of(u64 page)
{
	for (u32 i = 0; i < region_count; i++)
		if (page >= regions[i].usable &&
		    page - regions[i].first < regions[i].pages)
			return &regions[i];
	return NULL;
}

static u8 *state_of(const struct region *r, u64 page)
{
	return (u8 *)page_va(r->first) + (page - r->first);
}

static void list_push(u64 page, u32 order)
{
	struct free_block *b = block_of(page);

	b->prev = NO_PAGE;
	b->next = free_list[order];
	if (b->next != NO_PAGE)
		block_of(b->next)->prev = page;
	free_list[order] = page;
}

static void list_remove(u64 page, u32 order)
{
	struct free_block *b = block_of(page);

	if (b->next != NO_PAGE)
		block_of(b->next)->prev = b->prev;
	if (b->prev != NO_PAGE)
		block_of(b->prev)->next = b->next;
	else
		free_list[order] = b->next;
}

static void block_make_free(const struct region *r, u64 page, u32 order)
{
	*state_of(r, page) = (u8)(STATE_FREE | order);
	list_push(page, order);
}

/* Is the block of @order at @page whole, free, and inside @r? */
static bool block_is_free(const struct region *r, u64 page, u32 order)
{
	if (page < r->usable || page + (1ull << order) > r->first + r->pages)
		return false;
	return *state_of(r, page) == (STATE_FREE | order);
}

/* Free a block and join it with its buddy as long as that is free too */
static void block_release(const struct region *r, u64 page, u32 order)
{
	*state_of(r, page) = STATE_TAIL;
	while (order < MAX_ORDER) {
		u64 buddy = page ^ (1ull << order);

		if (!block_is_free(r, buddy, order))
			break;
		list_remove(buddy, order);
		*state_of(r, buddy) = STATE_TAIL;
		page = MIN(page, buddy);
		order++;
	}
	block_make_free(r, page, order);
}

/* The largest blocks that are aligned and fit in [page, end) */
static void region_fill(const struct region *r)
{
	u64 page = r->usable, end = r->first + r->pages;

	while (page < end) {
		u32 order = MAX_ORDER;

		while (!IS_ALIGNED(page, 1ull << order) ||
		       page + (1ull << order) > end)
			order--;
		block_make_free(r, page, order);
		page += 1ull << order;
	}
}

void pmm_init(hpa_t base, u64 size)
{
	u64 pages = size >> PAGE_SHIFT;
	struct region *r;

	spin_lock(&pmm_lock);
	ASSERT(region_count < POOL_REGIONS && pages > 1);
	if (!region_count)
		for (u32 i = 0; i <= MAX_ORDER; i++)
			free_list[i] = NO_PAGE;
	r = &regions[region_count++];
	r->first = base.v >> PAGE_SHIFT;
	r->pages = pages;
	r->usable = r->first + (ALIGN_UP(pages, PAGE_SIZE) >> PAGE_SHIFT);
	memset(page_va(r->first), STATE_TAIL, pages);
	region_fill(r);
	free_pages += r->first + pages - r->usable;
	spin_unlock(&pmm_lock);
}

/* Take a block of @order off the lists, splitting a larger one; NO_PAGE */
static u64 block_take(u32 order)
{
	const struct region *r;
	u32 have = order;
	u64 page;

	while (have <= MAX_ORDER && free_list[have] == NO_PAGE)
		have++;
	if (have > MAX_ORDER)
		return NO_PAGE;
	page = free_list[have];
	list_remove(page, have);
	r = region_of(page);
	while (have > order) {
		have--;
		block_make_free(r, page + (1ull << have), have);
	}
	*state_of(r, page) = (u8)(STATE_USED | order);
	return page;
}

static bool budget_allows(const struct budget *b, u64 pages)
{
	return !b->max_pages ||
	       (pages <= b->max_pages && b->used_pages <= b->max_pages - pages);
}

/* How many of @pages nobody but @b may have */
static u64 pages_to_draw(u64 pages)
{
	u64 spare = free_pages - reserved_pages;

	return pages > spare ? pages - spare : 0;
}

/* From the reserve into use; negative: back */
static void draw(struct budget *b, s64 pages)
{
	b->reserved_pages -= (u64)pages;
	b->drawn_pages += (u64)pages;
	reserved_pages -= (u64)pages;
}

void *pmm_alloc_as_is(struct budget *b, u32 order)
{
	u64 pages = 1ull << order, page = NO_PAGE, drawn;

	if (order > MAX_ORDER || !region_count)
		return NULL;
	spin_lock(&pmm_lock);
	drawn = pages_to_draw(pages);
	if (budget_allows(b, pages) && drawn <= b->reserved_pages)
		page = block_take(order);
	if (page != NO_PAGE) {
		b->used_pages += pages;
		free_pages -= pages;
		draw(b, (s64)drawn);
	}
	spin_unlock(&pmm_lock);
	return page == NO_PAGE ? NULL : page_va(page);
}

void *pmm_alloc(struct budget *b, u32 order)
{
	void *va = pmm_alloc_as_is(b, order);

	return va ? memset(va, 0, PAGE_SIZE << order) : NULL;
}

void pmm_free(struct budget *b, void *va, u32 order)
{
	u64 pages = 1ull << order, page;
	const struct region *r;

	if (!va)
		return;
	page = virt_to_hpa(va).v >> PAGE_SHIFT;
	spin_lock(&pmm_lock);
	r = region_of(page);
	ASSERT(r && *state_of(r, page) == (STATE_USED | order));
	ASSERT(b->used_pages >= pages);
	b->used_pages -= pages;
	free_pages += pages;
	draw(b, -(s64)MIN(pages, b->drawn_pages));
	block_release(r, page, order);
	spin_unlock(&pmm_lock);
}

u64 pmm_free_pages(void)
{
	return READ_ONCE(free_pages);
}

int pmm_reserve(struct budget *b, u64 pages)
{
	int err = -ENOMEM;

	spin_lock(&pmm_lock);
	if (pages <= free_pages - reserved_pages) {
		b->reserved_pages += pages;
		reserved_pages += pages;
		err = 0;
	}
	spin_unlock(&pmm_lock);
	return err;
}

u64 pmm_reserve_move(struct budget *from, struct budget *to, u64 pages)
{
	spin_lock(&pmm_lock);
	pages = MIN(pages, from->reserved_pages);
	from->reserved_pages -= pages;
	to->reserved_pages += pages;
	spin_unlock(&pmm_lock);
	return pages;
}

void pmm_unreserve(struct budget *b)
{
	spin_lock(&pmm_lock);
	reserved_pages -= b->reserved_pages;
	b->reserved_pages = b->drawn_pages = 0;
	spin_unlock(&pmm_lock);
}

u64 pmm_spare_pages(void)
{
	u64 pages;

	spin_lock(&pmm_lock);
	pages = free_pages - reserved_pages;
	spin_unlock(&pmm_lock);
	return pages;
}
