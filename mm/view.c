/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Views, see view.h. A file's place in the view has the offset into 2 MiB that
 * its memory has, so that its pages are large, too. The tables stay; the next
 * files find them. No lock of its own: the tables are changed
 * under that of mm/hostmap.c, a view by its one user.
 */
#include "mm/view.h"

#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/hostmap.h"
#include "mm/hostmap_pt.h"
#include "mm/pt.h"

int view_init(struct view *v, u64 room)
{
	if (!room || !IS_ALIGNED(room, PAGE_2M))
		return -EINVAL;
	v->va = hostmap_place(room);
	if (!v->va)
		return -ENOMEM;
	v->room = room;
	v->used = 0;
	return 0;
}

/* Where @hpa goes: at once behind the last, if it goes on there */
static u64 place(const struct view *v, u64 hpa)
{
	u64 at = v->va + v->used;

	if ((at ^ hpa) & (PAGE_2M - 1))
		at = ALIGN_UP(at, PAGE_2M) + (hpa & (PAGE_2M - 1));
	return at - v->va;
}

int view_add(struct view *v, hpa_t hpa, u64 size, const u8 **data)
{
	u64 at = place(v, hpa.v);
	int err;

	if (!size || !IS_ALIGNED(hpa.v | size, PAGE_SIZE))
		return -EINVAL;
	if (at > v->room || size > v->room - at)
		return -ENOSPC;
	err = hostmap_map(v->va + at, hpa, size, PT_R);
	if (err)
		return err;
	v->used = at + size;
	*data = (const u8 *)(v->va + at);
	return 0;
}

void view_flush_here(void)
{
	hostmap_load_cpu();
}

/* The ends are edges between leaves, so it needs no memory */
void view_clear(struct view *v)
{
	if (v->used)
		ASSERT(!hostmap_unmap(v->va, ALIGN_UP(v->used, PAGE_2M)));
	v->used = 0;
}
