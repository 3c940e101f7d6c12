/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mapping of device memory that moves: the same addresses of the host, and
 * other physical pages from time to time. Its tables are made once, so that a
 * move needs no memory. For BARs, which a guest moves as often as it likes
 * (hv/assign). What stays where it is has ioremap() (mm/hostmap.h).
 */
#ifndef MM_IOMAP_H
#define MM_IOMAP_H

#include "lib/types.h"

struct iomap {
	u8 *va;   /* NULL: not initialized */
	u64 room; /* bytes that it may map */
};

/* Takes addresses and tables for @room bytes, for good; nothing is mapped. Any
 * core; takes the locks of mm/hostmap.c. -EINVAL: not whole pages, or none;
 * -ENOMEM. */
int __must_check iomap_init(struct iomap *m, u64 room);
/*
 * Maps [@hpa, @hpa + @bytes), whole pages, at @m->va, instead of what was
 * there, with @pt_attrs, enum pt_attr. Any core; takes the lock of
 * mm/hostmap.c; the caller serializes moves of one map. Each core calls
 * iomap_flush_here() before it uses @m->va again. -EINVAL: not whole pages,
 * none, more than there is room for, or beyond cpu_phys_end(). Nothing is
 * mapped then.
 */
int __must_check iomap_move(struct iomap *m, hpa_t hpa, u64 bytes,
			    u32 pt_attrs);
/* This core forgets what @m mapped */
void iomap_flush_here(const struct iomap *m);

#endif
