/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A view: addresses of the host, taken once, behind which other memory comes
 * and goes, read-only and cached. For files that lie in a guest's own memory
 * (hv/load/staged.h). One core at a time uses a view.
 */
#ifndef MM_VIEW_H
#define MM_VIEW_H

#include "lib/types.h"

struct view {
	u64 va; /* 0: not initialized */
	u64 room, used;
};

/* Takes addresses for @room bytes, a multiple of 2 MiB, for good; nothing is
 * mapped. Any core; takes the locks of mm/hostmap.c. -EINVAL; -ENOMEM. */
int __must_check view_init(struct view *v, u64 room);
/*
 * Maps whole pages at @hpa behind what the view has by now; *@data is where.
 * Pages that follow each other in memory do so in the view, if they are mapped
 * one after the other. Not to be used before view_flush_here(). Any core; takes
 * the locks of mm/hostmap.c. -EINVAL: not whole pages, or none; -ENOSPC: no
 * room; -ENOMEM.
 */
int __must_check view_add(struct view *v, hpa_t hpa, u64 size, const u8 **data);
/* This core knows what the view has now, and nothing of what it had */
void view_flush_here(void);
/* The view has nothing any more */
void view_clear(struct view *v);

#endif
