/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows on physical memory (mm/window.h) that is a buffer of the test's. Each
 * mapping is a miss, so that a pointer is into the buffer itself. */
#ifndef TESTS_UNIT_FAKES_WINDOW_H
#define TESTS_UNIT_FAKES_WINDOW_H

#include "mm/window.h"

/* This core maps @bytes of memory, which @memory holds from HPA 0; any other
 * address ends the test */
void fake_windows_init(u8 *memory, u64 bytes);

#endif
