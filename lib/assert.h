/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ASSERT is for our own bugs and stays on in release builds; no guest, file or
 * device can make one fail. The machine's panic() (arch/x86/cpu/panic.c) prints
 * state on every console and stops; a host test supplies its own.
 */
#ifndef LIB_ASSERT_H
#define LIB_ASSERT_H

#include "lib/types.h"

__noreturn void panic(const char *fmt, ...) __printf(1, 2);

#define ASSERT(cond)                                                           \
	do {                                                                   \
		if (unlikely(!(cond)))                                         \
			panic("%s:%d: assertion failed: %s", __FILE__,         \
			      __LINE__, #cond);                                \
	} while (0)

#endif
