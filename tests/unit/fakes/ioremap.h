/* SPDX-License-Identifier: BSD-2-Clause */
/* ioremap() (mm/hostmap.h) and iomap_move() (mm/iomap.h) of memory that the
 * test backs with buffers */
#ifndef TESTS_UNIT_FAKES_IOREMAP_H
#define TESTS_UNIT_FAKES_IOREMAP_H

#include "mm/hostmap.h"
#include "mm/iomap.h"

/* Calls that found their memory, less those of iounmap() */
extern u32 fake_ioremaps;
/* Calls of iomap_init() that succeeded, and how many more will; at first, any
 * number */
extern u32 fake_iomaps, fake_iomaps_left;
/* What the last call of ioremap() asked for, granted or not */
extern u64 fake_ioremap_hpa, fake_ioremap_bytes;

/* From now on @memory is at [hpa, hpa + bytes); four of them at most. A mapping
 * must lie in one; any other is refused. */
void fake_ioremap_add(u64 hpa, void *memory, u64 bytes);
/* No memory, no mappings, and any number of iomaps again */
void fake_ioremap_reset(void);

#endif
