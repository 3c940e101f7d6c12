/* SPDX-License-Identifier: BSD-2-Clause */
/* Device mappings that move, see iomap.h. No lock of its own: the tables are
 * changed under that of mm/hostmap.c. */
#include "mm/iomap.h"

#include "arch/x86/cpu/asm.h"
#include "lib/errno.h"
#include "mm/hostmap_pt.h"

/* Tables of 4 KiB leaves for the whole room: no entry is missing afterwards */
static int make_tables(u64 va, u64 room)
{
	for (u64 at = ALIGN_DOWN(va, PAGE_2M); at < va + room; at += PAGE_2M)
		if (!hostmap_slots(at))
			return -ENOMEM;
	return 0;
}

int iomap_init(struct iomap *m, u64 room)
{
	u64 va;
	int err;

	if (!room || !IS_ALIGNED(room, PAGE_SIZE))
		return -EINVAL;
	va = hostmap_place(room);
	if (!va)
		return -ENOMEM;
	err = make_tables(va, room);
	if (err)
		return err;
	m->va = (u8 *)va;
	m->room = room;
	return 0;
}

int iomap_move(struct iomap *m, hpa_t hpa, u64 bytes, u32 pt_attrs)
{
	int err = hostmap_unmap((u64)m->va, m->room);

	if (!err && bytes > m->room)
		err = -EINVAL;
	return err ? err : hostmap_map((u64)m->va, hpa, bytes, pt_attrs);
}

void iomap_flush_here(const struct iomap *m)
{
	for (u64 off = 0; off < m->room; off += PAGE_SIZE)
		invlpg(m->va + off);
}
