/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool that the page-table tests take tables from: few pages in one array,
 * with host-physical addresses that are not their own, so that a mix-up shows
 */
#ifndef TESTS_UNIT_MM_TABLE_PAGES_H
#define TESTS_UNIT_MM_TABLE_PAGES_H

#include "mm/pmm.h"

#define TABLE_PAGES 64u
#define TABLE_HPA   MIB(16)

extern u64 table_pages[TABLE_PAGES][PAGE_SIZE / 8];
extern u32 table_pages_left; /* so many more can be allocated */

/* All free, none allocated; for a test's setup */
void table_pages_reset(void);

#endif
