/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's memory, see pool.h */
#include "tests/unit/fakes/pool.h"

#include <malloc.h>

#define SLAB_ALIGN 64u /* as kmem aligns, for structures that ask for it */

struct budget pmm_self;
u32 fake_pool_live;
u32 fake_pool_left = ~0u;
u64 fake_pool_peak;

static void *take(size_t align, size_t size, int fill)
{
	void *p;

	if (!fake_pool_left)
		return NULL;
	if (posix_memalign(&p, align, size))
		abort();
	fake_pool_left--;
	fake_pool_live++;
	return memset(p, fill, size);
}

static void give(void *p, size_t size)
{
	if (malloc_usable_size(p) != size)
		abort(); /* freed as what it is not */
	fake_pool_live--;
	free(p);
}

static void *take_pages(struct budget *b, u32 order, int fill)
{
	void *p = take(PAGE_SIZE << order, PAGE_SIZE << order, fill);

	if (p)
		b->used_pages += 1ull << order;
	fake_pool_peak = MAX(fake_pool_peak, b->used_pages);
	return p;
}

void *pmm_alloc(struct budget *b, u32 order)
{
	return take_pages(b, order, 0);
}

void *pmm_alloc_as_is(struct budget *b, u32 order)
{
	return take_pages(b, order, 0x5a);
}

void pmm_free(struct budget *b, void *va, u32 order)
{
	if (!va)
		return;
	give(va, PAGE_SIZE << order);
	b->used_pages -= 1ull << order;
}

void *kmem_alloc(struct budget *b, size_t size)
{
	return size ? take(SLAB_ALIGN, size, 0) : NULL;
}

void kmem_free(struct budget *b, void *p, size_t size)
{
	if (p)
		give(p, size);
}

void fake_pool_check(const struct budget *b)
{
	assert_int_equal(fake_pool_live, 0);
	assert_int_equal(b->used_pages, 0);
}
