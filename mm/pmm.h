/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own pages: a pool of a few MiB, carved from the firmware's
 * map once at boot (mm/owner.h), mapped in the direct map. A page taken for a
 * guest (EPT/NPT, VMCS, vLAPIC, struct vcpu) is charged to that guest's budget.
 */
#ifndef MM_PMM_H
#define MM_PMM_H

#include "lib/types.h"

/* Who pays: pages in use and the most it may use; a guest has one, the
 * hypervisor has pmm_self */
struct budget {
	u64 used_pages;
	u64 max_pages; /* 0: no limit */
};
extern struct budget pmm_self;

/* Give a contiguous, 2 MiB aligned range to the pool */
void pmm_init(hpa_t base, u64 size);
/* 2^order contiguous zeroed pages, aligned to their size; NULL when the pool
 * or the budget is empty. Any core; takes pmm's lock. */
void *pmm_alloc(struct budget *b, u32 order) __must_check;
/* What pmm_alloc(@order) gave, or NULL. Any core; takes pmm's lock. */
void pmm_free(struct budget *b, void *va, u32 order);
u64 pmm_free_pages(void);

/* The smallest order whose 2^order pages hold @bytes, of which there are any */
static inline u32 pmm_order(u64 bytes)
{
	u64 last = (bytes - 1) >> PAGE_SHIFT;

	return last ? 64 - (u32)__builtin_clzll(last) : 0;
}
/* pmm_alloc() of at least @bytes, more than 0 */
static inline void *__must_check pmm_alloc_bytes(struct budget *b, u64 bytes)
{
	return pmm_alloc(b, pmm_order(bytes));
}
/* What pmm_alloc_bytes() gave for the same number of bytes, or NULL */
static inline void pmm_free_bytes(struct budget *b, void *va, u64 bytes)
{
	pmm_free(b, va, pmm_order(bytes));
}

/* Addresses of the hypervisor's own memory (pool and image) only */
hpa_t virt_to_hpa(const void *va);
void *hpa_to_virt(hpa_t hpa);

/* An object of any size, zeroed: up to KMEM_MAX bytes from a slab, larger from
 * pages of its own. NULL: @size is 0, or the pool or the budget is empty. Any
 * core; takes kmem's lock, then pmm's. */
#define KMEM_MAX 2048u
void *kmem_alloc(struct budget *b, size_t size) __must_check;
/* What kmem_alloc(@size) gave; NULL does nothing */
void kmem_free(struct budget *b, void *p, size_t size);

#endif
