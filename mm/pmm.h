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
void pmm_free(struct budget *b, void *va, u32 order);
u64 pmm_free_pages(void);

/* Addresses of the hypervisor's own memory (pool and image) only */
hpa_t virt_to_hpa(const void *va);
void *hpa_to_virt(hpa_t hpa);

/* Small objects (<= 2048 bytes), zeroed, from slabs of pool pages */
void *kmem_alloc(struct budget *b, size_t size) __must_check;
void kmem_free(struct budget *b, void *p, size_t size);

#endif
