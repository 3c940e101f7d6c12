/* SPDX-License-Identifier: BSD-2-Clause */
/* See place.h */
#include "tools/control/place.h"

#include <stdlib.h>
#include <string.h>

static int pieces_add(struct list *out, u64 base, u64 end, u32 node)
{
	u64 from = ALIGN_UP(base, PLACE_UNIT), to = ALIGN_DOWN(end, PLACE_UNIT);
	struct bh_ctl_range *grown;

	if (from >= to)
		return 0;
	grown = realloc(out->items, (out->count + 1) * sizeof(*grown));
	if (!grown)
		return -1;
	grown[out->count++] = (struct bh_ctl_range){ .base = from,
						     .size = to - from,
						     .node = node };
	out->items = grown;
	return 0;
}

/* What of @pool nothing uses; @used is in order */
static int pool_pieces(const struct bh_ctl_range *pool, const struct list *used,
		       struct list *out)
{
	const struct bh_ctl_range *u = used->items;
	u64 at = pool->base, end = pool->base + pool->size;

	for (u32 i = 0; i < used->count && u[i].base < end; i++) {
		if (u[i].base + u[i].size <= at)
			continue;
		if (u[i].base > at &&
		    pieces_add(out, at, u[i].base, pool->node))
			return -1;
		at = u[i].base + u[i].size;
	}
	return at < end ? pieces_add(out, at, end, pool->node) : 0;
}

/* All free pieces of the node, in order */
static int free_pieces(const struct list *pool, const struct list *used,
		       int node, struct list *out)
{
	const struct bh_ctl_range *p = pool->items;

	*out = (struct list){ 0 };
	for (u32 i = 0; i < pool->count; i++) {
		if (node >= 0 && p[i].node != (u32)node)
			continue;
		if (pool_pieces(&p[i], used, out))
			return -1;
	}
	return 0;
}

static int by_size(const void *a, const void *b)
{
	const struct bh_ctl_range *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return x->base < y->base ? -1 : x->base > y->base;
}

/* The smallest piece that has room for all, else the largest ones. @pieces are
 * sorted by size. */
static bool take(const struct list *pieces, u64 bytes, struct place *p)
{
	const struct bh_ctl_range *piece = pieces->items;
	u32 first = 0;

	for (u32 i = 1; i < pieces->count && piece[i].size >= bytes; i++)
		if (piece[i].size < piece[first].size)
			first = i;
	p->count = 0;
	for (u32 i = first; i < pieces->count && bytes; i++) {
		if (p->count == PLACE_MAX)
			return false;
		p->ranges[p->count] = piece[i];
		p->ranges[p->count].size = MIN(piece[i].size, bytes);
		bytes -= p->ranges[p->count++].size;
	}
	return !bytes;
}

int place_find(const struct list *pool, const struct list *used, u64 bytes,
	       int node, struct place *p, struct failure *f)
{
	struct list pieces;
	u64 whole = ALIGN_UP(bytes, PLACE_UNIT), free_bytes = 0;
	const struct bh_ctl_range *piece;
	bool found = false;

	if (free_pieces(pool, used, node, &pieces)) {
		free(pieces.items);
		return failed(f, FAIL_NO_ROOM, "no memory for the plan");
	}
	piece = pieces.items;
	for (u32 i = 0; i < pieces.count; i++)
		free_bytes += piece[i].size;
	if (pieces.count) {
		qsort(pieces.items, pieces.count, sizeof(*piece), by_size);
		found = whole && take(&pieces, whole, p);
	}
	free(pieces.items);
	if (found)
		return 0;
	if (!pool->count)
		return failed(f, FAIL_NO_ROOM,
			      "the machine keeps no memory for guests; write "
			      "guest-memory = 1G, say, in [hypervisor] of its "
			      "manifest and restart it");
	return failed(f, FAIL_NO_ROOM,
		      "the guest wants %llu MiB and %llu MiB of the pool are "
		      "free%s; end another guest or give it less",
		      whole >> 20, free_bytes >> 20,
		      node >= 0 ? " on its node" : "");
}

/* Where in @used a range at @base would stand, behind those of the same base */
static u32 place_at(const struct list *used, u64 base)
{
	const struct bh_ctl_range *u = used->items;
	u32 low = 0, high = used->count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (u[middle].base <= base)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int place_use(struct list *used, const struct bh_ctl_range *ranges, u32 count)
{
	struct bh_ctl_range *u =
		realloc(used->items, (used->count + count + 1) * sizeof(*u));

	if (!u)
		return -1;
	used->items = u;
	for (u32 i = 0; i < count; i++) {
		u32 at = place_at(used, ranges[i].base);

		memmove(&u[at + 1], &u[at],
			(used->count++ - at) * sizeof(u[0]));
		u[at] = ranges[i];
	}
	return 0;
}

void place_unuse(struct list *used, const struct bh_ctl_range *ranges,
		 u32 count)
{
	struct bh_ctl_range *u = used->items;

	for (u32 i = 0; i < count; i++) {
		u32 at = place_at(used, ranges[i].base);

		if (!at || u[at - 1].base != ranges[i].base)
			continue;
		memmove(&u[at - 1], &u[at],
			(used->count-- - at) * sizeof(u[0]));
	}
}
