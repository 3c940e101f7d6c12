/* SPDX-License-Identifier: BSD-2-Clause */
/* See place.h */
#include "tools/control/place.h"

#include <stdlib.h>
#include <string.h>

/* A piece of the pool that nothing uses, at or behind @from; size 0: none */
static struct bh_ctl_range next_free(const struct bh_ctl_range *pool, u64 from,
				     const struct list *used)
{
	const struct bh_ctl_range *u = used->items;
	u64 end = pool->base + pool->size;
	struct bh_ctl_range free = { .base = from, .node = pool->node };

	for (u32 i = 0; i < used->count; i++) {
		if (free.base < u[i].base || free.base - u[i].base >= u[i].size)
			continue;
		/* It lies in one that is used: on behind that */
		free.base = ALIGN_UP(u[i].base + u[i].size, PLACE_UNIT);
		i = (u32)-1;
	}
	for (u32 i = 0; i < used->count; i++)
		if (u[i].base > free.base && u[i].base < end)
			end = u[i].base;
	if (end > free.base)
		free.size = ALIGN_DOWN(end - free.base, PLACE_UNIT);
	return free;
}

/* All free pieces of the node, in order */
static int free_pieces(const struct list *pool, const struct list *used,
		       int node, struct list *out)
{
	const struct bh_ctl_range *p = pool->items;

	*out = (struct list){ 0 };
	for (u32 i = 0; i < pool->count; i++) {
		u64 at = ALIGN_UP(p[i].base, PLACE_UNIT);

		if (node >= 0 && p[i].node != (u32)node)
			continue;
		while (at < p[i].base + p[i].size) {
			struct bh_ctl_range piece = next_free(&p[i], at, used);
			struct bh_ctl_range *grown;

			at = piece.base + MAX(piece.size, PLACE_UNIT);
			if (!piece.size)
				continue;
			grown = realloc(out->items,
					(out->count + 1) * sizeof(*grown));
			if (!grown)
				return -1;
			grown[out->count++] = piece;
			out->items = grown;
		}
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
