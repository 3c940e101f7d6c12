/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own memory: a pool of a few MiB, taken from the firmware's
 * map at boot (mm/owner.h) and mapped in the direct map. What is taken for a
 * guest (EPT or NPT, VMCS, vLAPIC, struct vcpu) is charged to its budget.
 *
 * Any core. pmm's lock is a leaf, and inside kmem's only pmm's is taken:
 * callers may hold any other lock.
 */
#ifndef MM_PMM_H
#define MM_PMM_H

#include "lib/types.h"

/* Who pays: each guest has one, the hypervisor has pmm_self. All but @max_pages
 * is under pmm's lock; a budget outlives what it paid for. */
struct budget {
	u64 used_pages;
	u64 max_pages;      /* 0: no limit */
	u64 reserved_pages; /* set aside for it, and free */
	u64 drawn_pages;    /* in use of what was set aside */
};
extern struct budget pmm_self;

/* Gives @size bytes at @base to the pool, both 2 MiB aligned and owned by the
 * hypervisor; some of it keeps the books. hpa_to_virt() reaches it already. By
 * hostmap.c at boot, 16 times at most; takes pmm's lock. */
void pmm_init(hpa_t base, u64 size);
/* 2^@order contiguous zeroed pages, aligned to their size. @order is 0 to 9, up
 * to 2 MiB; NULL: it is larger, or the budget does not allow so many, or the
 * pool has no more than what is set aside for others. Takes pmm's lock. */
void *pmm_alloc(struct budget *b, u32 order) __must_check;
/* The same with what was last there, for who reads nothing that it has not
 * written: zeroing takes some 50 us for each MiB, in one piece. */
void *pmm_alloc_as_is(struct budget *b, u32 order) __must_check;
/* Gives back what pmm_alloc(@order) gave to the same budget, or panics; NULL
 * does nothing. Takes pmm's lock. */
void pmm_free(struct budget *b, void *va, u32 order);
/* Pages of the pool that are free. Any core, no lock. */
u64 pmm_free_pages(void);
/*
 * Sets @pages more aside for @b: pmm_alloc() gives them to nobody else, and to
 * @b once the rest of the pool is in use. What @b frees then is set aside
 * again. The promise is of single pages; larger blocks hold in practice, since
 * small requests are served by the smallest blocks there are. Takes pmm's lock.
 * -ENOMEM: the pool does not have so many.
 */
int __must_check pmm_reserve(struct budget *b, u64 pages);
/* What is set aside for @from, and is free, is set aside for @to instead:
 * @pages, or as many as there are. Returns how many. Takes pmm's lock. */
u64 pmm_reserve_move(struct budget *from, struct budget *to, u64 pages);
/* Ends what pmm_reserve() set aside for @b. Takes pmm's lock. */
void pmm_unreserve(struct budget *b);
/* Free pages that are set aside for nobody. Any core; takes pmm's lock. */
u64 pmm_spare_pages(void);

/* The smallest order whose pages hold @bytes, which is more than 0 */
static inline u32 pmm_order(u64 bytes)
{
	u64 last = (bytes - 1) >> PAGE_SHIFT;

	return last ? 64 - (u32)__builtin_clzll(last) : 0;
}
/* pmm_alloc() of as many pages as hold @bytes, which is more than 0 */
static inline void *__must_check pmm_alloc_bytes(struct budget *b, u64 bytes)
{
	return pmm_alloc(b, pmm_order(bytes));
}
/* Gives back what pmm_alloc_bytes() gave for the same number of bytes to the
 * same budget; NULL does nothing. */
static inline void pmm_free_bytes(struct budget *b, void *va, u64 bytes)
{
	pmm_free(b, va, pmm_order(bytes));
}

/* Between virtual and physical addresses of the pool and the image, and of
 * nothing else. Any core, any context; nothing is checked. */
hpa_t virt_to_hpa(const void *va);
void *hpa_to_virt(hpa_t hpa);

/* A zeroed object of @size bytes: up to KMEM_MAX from a slab, aligned to 64
 * bytes if it has as many; a larger one has pages of its own. NULL: @size is 0,
 * or the pool or the budget is empty. Takes kmem's lock, then pmm's. */
#define KMEM_MAX 2048u
void *kmem_alloc(struct budget *b, size_t size) __must_check;
/* Gives back what kmem_alloc(@size) gave to the same budget, or panics; NULL
 * does nothing. Takes kmem's lock, then pmm's. */
void kmem_free(struct budget *b, void *p, size_t size);

#endif
