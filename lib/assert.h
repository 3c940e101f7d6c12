/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks of our own code. They stay on in release builds; no guest, file or
 * device can make one fail.
 */
#ifndef LIB_ASSERT_H
#define LIB_ASSERT_H

#include "lib/types.h"

/*
 * Ends the machine by our own fault: says @fmt and the state of this core on
 * every console and halts for good. @fmt has no line feed. Any core, any
 * context, any lock held; the other cores are stopped (arch/x86/cpu/panic.c).
 * A host test supplies its own.
 */
__noreturn void panic(const char *fmt, ...) __printf(1, 2);

/* panic() unless @cond holds, which is evaluated once. Any context. */
#define ASSERT(cond)                                                           \
	do {                                                                   \
		if (unlikely(!(cond)))                                         \
			panic("%s:%d: assertion failed: %s", __FILE__,         \
			      __LINE__, #cond);                                \
	} while (0)

#endif
