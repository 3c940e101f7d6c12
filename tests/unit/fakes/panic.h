/* SPDX-License-Identifier: BSD-2-Clause */
/* panic() that fails the test, unless expect_panic() waits for it */
#ifndef TESTS_UNIT_FAKES_PANIC_H
#define TESTS_UNIT_FAKES_PANIC_H

#include "lib/assert.h"
#include "tests/unit/test.h"

/* Where the next panic() goes; NULL: it fails the test */
extern jmp_buf *fake_panic_landing;

/* The statement must panic. What it held at that moment (locks, memory) stays
 * as it was. */
#define expect_panic(statement)                                                \
	do {                                                                   \
		jmp_buf landing;                                               \
                                                                               \
		fake_panic_landing = &landing;                                 \
		if (!setjmp(landing)) {                                        \
			statement;                                             \
			fake_panic_landing = NULL;                             \
			fail_msg("no panic: %s", #statement);                  \
		}                                                              \
		fake_panic_landing = NULL;                                     \
	} while (0)

#endif
