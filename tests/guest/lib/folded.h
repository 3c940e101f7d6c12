/* SPDX-License-Identifier: BSD-2-Clause */
/* What a compiler makes of accesses to device registers */
#ifndef TESTS_GUEST_LIB_FOLDED_H
#define TESTS_GUEST_LIB_FOLDED_H

#include "lib/types.h"

#define FOLDED_BYTES   32
#define FOLDED_RESULTS 64

/* Read @in, of FOLDED_BYTES, in many ways; the results are written to @out. The
 * CPU has what x86-64-v3 means, and XCR0 has AVX. Returns how many there are.
 */
u32 folded(const volatile void *in, u64 out[FOLDED_RESULTS]);

#endif
