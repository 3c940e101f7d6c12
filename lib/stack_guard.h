/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack protector's half that the compiler leaves to us
 * (-fstack-protector-strong). A function with arrays puts __stack_chk_guard
 * between them and its return address and compares before it returns. The names
 * are the compiler's. The loaders and the unit tests are built without it.
 */
#ifndef LIB_STACK_GUARD_H
#define LIB_STACK_GUARD_H

#include "lib/types.h"

/* The value. Random from stack_guard_set() on, the same on every core. */
extern u64 __stack_chk_guard;
/* Where a function goes that found another value: panics. Any core, any
 * context. */
__noreturn void __stack_chk_fail(void);

/* A function that runs while the value changes; or one on the way of hot exits
 * that keeps no array, but a variable whose address it hands out */
#define __no_stack_guard __attribute__((no_stack_protector))

/*
 * Makes @random the value, but for its lowest byte: that is zero, so that a
 * string which runs over can neither read nor write the rest. No function that
 * is in progress returns through its own check any more. Boot CPU, before
 * hv_main().
 */
static inline void stack_guard_set(u64 random)
{
	__stack_chk_guard = random & ~0xffull;
}

#endif
