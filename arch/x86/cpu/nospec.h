/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spectre v1: past a bounds check that was mispredicted, a guest's index would
 * be used for a while all the same. An index that a guest chooses goes through
 * this before it selects an element whose contents select or address something
 * else. Intel, *Analyzing Bounds Check Bypass*; no branch, three instructions
 * at most.
 */
#ifndef ARCH_X86_CPU_NOSPEC_H
#define ARCH_X86_CPU_NOSPEC_H

#include "lib/types.h"

/* @index if it is below @size, else something that is, speculatively too. @size
 * is more than 0. Pure; the caller has checked the bounds for the program's
 * sake. */
static inline u64 index_nospec(u64 index, u64 size)
{
	u64 mask;

	/* One instruction where it is enough. The compiler must not know that
	 * @index is in bounds, or it leaves the mask out. */
	__asm__("" : "+r"(index));
	if (__builtin_constant_p(size) && !(size & (size - 1)))
		return index & (size - 1);
	/* volatile: the compiler knows @index to be in bounds */
	__asm__ volatile("cmp %[size], %[index]\n\t"
			 "sbb %[mask], %[mask]"
			 : [mask] "=r"(mask)
			 : [index] "r"(index), [size] "er"(size)
			 : "cc");
	return index & mask;
}

#endif
