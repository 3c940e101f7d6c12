/* SPDX-License-Identifier: BSD-2-Clause */
/* ioremap() (mm/hostmap.h) of memory that the test backs with buffers */
#ifndef TESTS_UNIT_FAKES_IOREMAP_H
#define TESTS_UNIT_FAKES_IOREMAP_H

#include "mm/hostmap.h"

/* Calls that found their memory, less those of iounmap() */
extern u32 fake_ioremaps;
/* What the last call of ioremap() asked for, granted or not */
extern u64 fake_ioremap_hpa, fake_ioremap_bytes;

/* From now on @memory is at [hpa, hpa + bytes); four of them at most. A mapping
 * must lie in one; any other is refused. */
void fake_ioremap_add(u64 hpa, void *memory, u64 bytes);
/* No memory, no mappings */
void fake_ioremap_reset(void);

#endif
