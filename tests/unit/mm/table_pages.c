/* SPDX-License-Identifier: BSD-2-Clause */
/* A pool of page tables, see table_pages.h */
#include "tests/unit/mm/table_pages.h"

#include "tests/unit/fakes/watch.h"
#include "tests/unit/test.h"

struct budget pmm_self;
u64 table_pages[TABLE_PAGES][PAGE_SIZE / 8] __aligned(PAGE_SIZE);
u32 table_pages_left;
static bool used[TABLE_PAGES];

static_assert(sizeof(table_pages) <= WATCH_BYTES_MAX, "all can be watched");

void table_pages_reset(void)
{
	memset(used, 0, sizeof(used));
	table_pages_left = TABLE_PAGES;
}

void *pmm_alloc(struct budget *b, u32 order)
{
	assert_int_equal(order, 0);
	for (u32 i = 0; i < TABLE_PAGES && table_pages_left; i++) {
		if (used[i])
			continue;
		used[i] = true;
		table_pages_left--;
		b->used_pages++;
		watch_zero_page(table_pages[i]);
		return table_pages[i];
	}
	return NULL;
}

void pmm_free(struct budget *b, void *va, u32 order)
{
	u64 i = (u64)((u8 *)va - (u8 *)table_pages) / PAGE_SIZE;

	assert_int_equal(order, 0);
	assert_true(i < TABLE_PAGES && used[i]);
	used[i] = false;
	table_pages_left++;
	b->used_pages--;
}

hpa_t virt_to_hpa(const void *va)
{
	return HPA((u64)((const u8 *)va - (u8 *)table_pages) + TABLE_HPA);
}

void *hpa_to_virt(hpa_t hpa)
{
	assert_true(hpa.v >= TABLE_HPA &&
		    hpa.v < TABLE_HPA + sizeof(table_pages));
	return (u8 *)table_pages + (hpa.v - TABLE_HPA);
}
