/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that remembers every write to it, in order, one instruction at a time:
 * its pages are read-only, a write faults, runs alone with the trap flag set,
 * and what it changed is recorded. The code under test needs no hook and is not
 * recompiled. One memory at a time, one thread; about 30 us a write.
 */
#ifndef TESTS_UNIT_FAKES_WATCH_H
#define TESTS_UNIT_FAKES_WATCH_H

#include "lib/types.h"

#define WATCH_BYTES_MAX KIB(512)

/* One aligned word that an instruction changed. A write of the value that was
 * there is none. */
struct watch_write {
	u64 *at;
	u64 was, is;
};

/* Record writes to the @bytes (whole pages) at @memory from now on */
void watch_begin(void *memory, u64 bytes);
/* Stop. The number of writes, and the writes until the next watch_begin(). Does
 * nothing, and returns 0, when nothing is watched. */
u32 watch_end(const struct watch_write **writes);
/* Zero a page, watched or not: recorded as the words' writes, without faults */
void watch_zero_page(void *page);

#endif
