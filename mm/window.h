/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short windows onto guest pages: per core, WINDOW_SLOTS page-sized slots in
 * the core's own part of the address space, found by the page number: two slots
 * a set, the less recently used one goes (a hit costs a compare, a miss one PTE
 * write and an INVLPG).
 *
 * A pointer is valid until the WINDOW_LIVEth next call on this core: the last
 * WINDOW_LIVE pointers given out are always good, whatever their addresses.
 * Never keep one across an exit. window_flush() closes them all; it is called
 * when a core changes from one VM's vCPU to another's.
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
};

/* On the core itself, after hostmap_load_cpu(). -ENOMEM */
int __must_check window_init_cpu(void);
/* The slow half of window_map(): points a slot at the page */
void *window_miss(struct window_cache *c, hpa_t hpa);
void window_flush(void);

/* A pointer to the byte at @hpa, good to the end of its page. The caller has
 * checked that @hpa belongs to the guest it works for. */
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

/* Where the window of a page that window_map() has just mapped is recorded: as
 * long as it holds the page's number, the pointer still shows that page */
static inline const u64 *window_tag(hpa_t hpa)
{
	struct window_cache *c = this_cpu()->windows;
	u64 page = hpa.v >> PAGE_SHIFT;
	u32 slot = (u32)page % WINDOW_SETS * 2;

	return &c->tag[c->tag[slot] == page ? slot : slot + 1];
}

#endif
