/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in the pool a guest's memory goes: whole 2 MiB units, in one piece
 * where there is one, else in several. Pure.
 */
#ifndef TOOLS_CONTROL_PLACE_H
#define TOOLS_CONTROL_PLACE_H

#include "tools/control/guests.h"

#define PLACE_UNIT PAGE_2M
#define PLACE_MAX  16 /* pieces of one guest */

struct place {
	u32 count;
	struct bh_ctl_range ranges[PLACE_MAX];
};

/* Room for @bytes in @pool beside @used, lists of struct bh_ctl_range; @used is
 * place_use()'s. @node: only there, or -1. 0, or -1: FAIL_NO_ROOM, which says
 * how much there is. */
int place_find(const struct list *pool, const struct list *used, u64 bytes,
	       int node, struct place *p, struct failure *f) __must_check;
/* @ranges are used from now on: @used has them in order. -1: no memory. The
 * caller frees @used->items. */
int place_use(struct list *used, const struct bh_ctl_range *ranges,
	      u32 count) __must_check;
void place_unuse(struct list *used, const struct bh_ctl_range *ranges,
		 u32 count);

#endif
