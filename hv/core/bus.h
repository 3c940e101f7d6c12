/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port and MMIO regions of one VM: a sorted, disjoint array. It changes while
 * the VM is built, or while every core stands still
 * (hv/assign/passthrough_move.c), and is searched without a lock.
 */
#ifndef HV_CORE_BUS_H
#define HV_CORE_BUS_H

#include "lib/types.h"
#include "mm/pmm.h"

struct vcpu;

/* Offset is from the region's base; size 1, 2, 4 or 8; never crosses the
 * region's end. Reads return the value; unclaimed bytes read as ones. */
struct bus_region {
	u64 base, size;
	const char *name;
	u64 (*read)(struct vcpu *v, void *dev, u64 offset, u8 size);
	void (*write)(struct vcpu *v, void *dev, u64 offset, u8 size,
		      u64 value);
	void *dev;
	bool lockless; /* both take no lock: ports with no hv/core/crowd.h */
};

struct bus {
	struct bus_region *regions;
	u32 count, capacity;
	/* Ports: the number, from 1, of the region at each address below
	 * BUS_INDEXED, 0 where there is none; NULL: not indexed */
	u8 *index;
	/* Which blocks of 1 << block_shift addresses, modulo 64, a region
	 * touches: an address whose bit is clear is unclaimed */
	u64 filter;
	u8 block_shift;
};
#define BUS_BLOCK_SHIFT   3
#define BUS_INDEXED_SHIFT 10 /* 64 blocks are all the ports there are */
#define BUS_INDEXED       PAGE_SIZE

/* Room for at least @capacity regions, charged to @b. -ENOMEM */
int __must_check bus_init(struct bus *bus, struct budget *b, u32 capacity);
/* Look its first BUS_INDEXED addresses up in a table, which costs a page;
 * bus_init() was called, with a capacity of at most 255. -ENOMEM */
int __must_check bus_make_index(struct bus *bus, struct budget *b);
/* Also of a bus whose bus_init() failed or never came */
void bus_destroy(struct bus *bus, struct budget *b);
/* A copy of @region joins. A region with no read, or no write, behaves as
 * unclaimed for it. -EEXIST: it overlaps another; -ENOSPC: no room; -EINVAL: it
 * is empty or wraps. */
int __must_check bus_add(struct bus *bus, const struct bus_region *region);
/* The region that begins at @base leaves, if there is one */
void bus_remove(struct bus *bus, u64 base);
/* False: nobody claims @addr. True: perhaps somebody does. Hot. */
static inline bool bus_may_claim(const struct bus *bus, u64 addr)
{
	return bus->filter >> ((addr >> bus->block_shift) & 63) & 1;
}
/* The region that @addr is in, or NULL */
const struct bus_region *bus_find(const struct bus *bus, u64 addr);
/* One access of @size 1, 2, 4 or 8 bytes at @addr, made by @v on its home core,
 * with no lock held. It is not split: one that crosses its region's end is
 * unclaimed, as one outside all is: reads are ones, writes are lost. */
u64 bus_read(const struct bus *bus, struct vcpu *v, u64 addr, u8 size);
void bus_write(const struct bus *bus, struct vcpu *v, u64 addr, u8 size,
	       u64 val);

#endif
