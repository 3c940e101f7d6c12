/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short windows onto guest pages. Each core has WINDOW_SLOTS slots of a page in
 * its own part of the address space. A page's number chooses a set of two
 * slots, of which the less recently used one is pointed elsewhere. A hit costs
 * one or two compares, a miss a PTE write and an INVLPG.
 *
 * The last WINDOW_LIVE pointers that were given out on a core are good,
 * whatever their addresses. Nobody keeps one across an exit, unless
 * window_tag() says that it is still good. window_flush() closes all windows
 * when a core changes from one VM's vCPU to another's.
 *
 * All of it is this core's alone: no lock.
 */
#ifndef MM_WINDOW_H
#define MM_WINDOW_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

#define WINDOW_SLOTS 32
#define WINDOW_SETS  (WINDOW_SLOTS / 2)
#define WINDOW_LIVE  2
#define WINDOW_EMPTY (~0ull)

struct window_cache {
	u64 tag[WINDOW_SLOTS];  /* [set * 2 + way]: page or WINDOW_EMPTY */
	u8 recent[WINDOW_SETS]; /* way used last */
	u64 va;                 /* of slot 0 */
	u64 *slots;             /* the page-table entries */
	u32 open;               /* bit per slot in use */
	u64 pte_bits;           /* of an entry, besides the address */
};

/* Makes this core's windows, none of them open. Once, after hostmap_init() or
 * hostmap_load_cpu(), with pcpu.id set. -ENOMEM. */
int __must_check window_init_cpu(void);
/* The slow half of window_map(): points a slot of @c, which is this core's, at
 * the page */
void *window_miss(struct window_cache *c, hpa_t hpa);
/* Closes all windows of this core; pointers from before are no longer good */
void window_flush(void);

/* A pointer to the byte at @hpa, good to the end of its page, readable and
 * writable. The caller has checked that the page is RAM of the guest that it
 * works for. Never NULL. */
static inline void *window_map(hpa_t hpa)
{
	struct window_cache *c = this_cpu()->windows;
	u64 page = hpa.v >> PAGE_SHIFT;
	u32 set = (u32)page % WINDOW_SETS;
	u32 slot = set * 2;

	if (c->tag[slot] != page) {
		slot++;
		if (unlikely(c->tag[slot] != page))
			return window_miss(c, hpa);
	}
	c->recent[set] = (u8)(slot & 1);
	return (void *)(c->va + slot * PAGE_SIZE + (hpa.v & PAGE_MASK));
}

/* Where the window of @hpa's page is recorded, which window_map() has just
 * mapped. As long as the page's number stands there, the pointer still shows
 * that page. */
static inline const u64 *window_tag(hpa_t hpa)
{
	struct window_cache *c = this_cpu()->windows;
	u64 page = hpa.v >> PAGE_SHIFT;
	u32 slot = (u32)page % WINDOW_SETS * 2;

	return &c->tag[c->tag[slot] == page ? slot : slot + 1];
}

#endif
