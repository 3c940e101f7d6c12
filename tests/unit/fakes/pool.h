/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pmm_alloc() and kmem_alloc() from the C library's heap, each object of its
 * exact size so that ASan sees any access behind it. Pages are charged to the
 * budget as the real pool does. What is freed must be freed by the size, or the
 * order, that it was allocated by.
 */
#ifndef TESTS_UNIT_FAKES_POOL_H
#define TESTS_UNIT_FAKES_POOL_H

#include "mm/pmm.h"
#include "tests/unit/test.h"

#define FAKE_SPARE_PAGES 1000u
extern u32 fake_pool_live; /* allocations, of both kinds, not freed yet */
extern u64 fake_pool_peak; /* the most pages that a budget had at a time */
extern u32 fake_pool_left; /* this many more succeed; at first, any number */

/* Nothing is allocated, by count and by the budget; for a test's teardown */
void fake_pool_check(const struct budget *b);

#endif
