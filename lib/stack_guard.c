/* SPDX-License-Identifier: BSD-2-Clause */
/* See stack_guard.h. Written once, by hv/entry.asm's call of
 * stack_guard_init(); the compiler's code reads it. No lock. */
#include "lib/stack_guard.h"

#include "lib/assert.h"

/* Until it is random, for the loader's code that runs before */
u64 __stack_chk_guard = 0x57ac6e0d0f570b00ull;

void __stack_chk_fail(void)
{
	panic("an array on the stack was written past its end: found as the "
	      "function returned, at %p",
	      __builtin_return_address(0));
}
