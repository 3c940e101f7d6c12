/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port and MMIO regions, see bus.h. Called by the devices of a VM when it is
 * built and by the exit handlers. Invariant: regions[0..count) are sorted by
 * base and disjoint; the index says the same. No lock: the array does not
 * change while the VM runs.
 */
#include "hv/core/bus.h"

#include "arch/x86/cpu/nospec.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/string.h"

#define MAX_INDEXED 255u /* regions: numbers are bytes */

/* First region that ends above @addr; bus->count if none */
static u32 bus_search(const struct bus *bus, u64 addr)
{
	u32 lo = 0, hi = bus->count;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;
		const struct bus_region *r = &bus->regions[mid];

		if (r->base + (r->size - 1) >= addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

int bus_init(struct bus *bus, struct budget *b, u32 capacity)
{
	u64 bytes = PAGE_SIZE << pmm_order(capacity * sizeof(*bus->regions));

	bus->regions = pmm_alloc_bytes(b, bytes);
	if (!bus->regions)
		return -ENOMEM;
	bus->index = NULL;
	bus->block_shift = BUS_BLOCK_SHIFT;
	bus->count = 0;
	bus->capacity = (u32)(bytes / sizeof(*bus->regions));
	return 0;
}

void bus_destroy(struct bus *bus, struct budget *b)
{
	pmm_free(b, bus->index, 0);
	bus->index = NULL;
	if (!bus->regions)
		return;
	pmm_free_bytes(b, bus->regions, bus->capacity * sizeof(*bus->regions));
	bus->regions = NULL;
	bus->count = 0;
}

static void bus_filter(struct bus *bus)
{
	bus->filter = 0;
	for (u32 i = 0; i < bus->count; i++) {
		const struct bus_region *r = &bus->regions[i];
		u64 block = r->base >> bus->block_shift;
		u64 last = (r->base + (r->size - 1)) >> bus->block_shift;

		if (last - block >= 63)
			bus->filter = ~0ull;
		else
			for (; block <= last; block++)
				bus->filter |= BIT(block & 63);
	}
}

static void bus_fill_index(struct bus *bus)
{
	memset(bus->index, 0, BUS_INDEXED);
	for (u32 i = 0; i < bus->count; i++) {
		const struct bus_region *r = &bus->regions[i];
		u64 end = MIN(r->base + r->size, BUS_INDEXED);

		for (u64 at = r->base; at < end; at++)
			bus->index[at] = (u8)(i + 1);
	}
}

/* After a change of the array */
static void bus_changed(struct bus *bus)
{
	bus_filter(bus);
	if (bus->index)
		bus_fill_index(bus);
}

int bus_make_index(struct bus *bus, struct budget *b)
{
	if (bus->capacity > MAX_INDEXED)
		return -EINVAL;
	bus->index = pmm_alloc(b, 0);
	if (!bus->index)
		return -ENOMEM;
	bus->block_shift = BUS_INDEXED_SHIFT;
	bus_changed(bus);
	return 0;
}

int bus_add(struct bus *bus, const struct bus_region *region)
{
	u64 last = region->base + (region->size - 1);
	u32 at = bus_search(bus, region->base);

	if (!region->size || last < region->base)
		return -EINVAL;
	if (at < bus->count && bus->regions[at].base <= last)
		return -EEXIST;
	if (bus->count == bus->capacity)
		return -ENOSPC;
	for (u32 i = bus->count; i > at; i--)
		bus->regions[i] = bus->regions[i - 1];
	bus->regions[at] = *region;
	bus->count++;
	bus_changed(bus);
	return 0;
}

void bus_remove(struct bus *bus, u64 base)
{
	u32 at = bus_search(bus, base);

	if (at == bus->count || bus->regions[at].base != base)
		return;
	bus->count--;
	for (u32 i = at; i < bus->count; i++)
		bus->regions[i] = bus->regions[i + 1];
	bus_changed(bus);
}

const struct bus_region *bus_find(const struct bus *bus, u64 addr)
{
	u32 at;

	if (bus->index && addr < BUS_INDEXED) {
		at = bus->index[index_nospec(addr, BUS_INDEXED)];
		return at ? &bus->regions[at - 1] : NULL;
	}
	at = bus_search(bus, addr);
	if (at == bus->count || bus->regions[at].base > addr)
		return NULL;
	return &bus->regions[at];
}

/* Where in its region an access is: what a device looks up by it stays in the
 * region, speculatively too */
static u64 offset_in(const struct bus_region *r, u64 addr)
{
	return index_nospec(addr - r->base, r->size);
}

/* The region that holds the whole access */
static const struct bus_region *bus_claim(const struct bus *bus, u64 addr,
					  u8 size)
{
	const struct bus_region *r = bus_find(bus, addr);

	if (!r || r->size - (addr - r->base) < size)
		return NULL;
	return r;
}

u64 bus_read(const struct bus *bus, struct vcpu *v, u64 addr, u8 size)
{
	const struct bus_region *r = bus_claim(bus, addr, size);

	if (!r || !r->read)
		return ones_of(size);
	return r->read(v, r->dev, offset_in(r, addr), size) & ones_of(size);
}

void bus_write(const struct bus *bus, struct vcpu *v, u64 addr, u8 size,
	       u64 val)
{
	const struct bus_region *r = bus_claim(bus, addr, size);

	if (r && r->write)
		r->write(v, r->dev, offset_in(r, addr), size,
			 val & ones_of(size));
}
