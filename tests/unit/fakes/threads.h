/* SPDX-License-Identifier: BSD-2-Clause */
/* Cores that are threads of this program, all at once */
#ifndef TESTS_UNIT_FAKES_THREADS_H
#define TESTS_UNIT_FAKES_THREADS_H

#include "lib/types.h"

#define THREADS_MAX 64u

/* Runs @fn(0) to @fn(@count - 1), each in a thread. None begins before all are
 * there. Returns when all are over, which must be within a minute. */
void threads_run(u32 count, void (*fn)(u32 id));
/* Lets another one have the processor, of which there may be few */
void threads_yield(void);

#endif
