/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts of 64-bit values: an access of 1 to 8 bytes, the bits of a field. Used
 * by devices, the emulator and the exit handlers. Pure: any context. A count
 * outside the range that is given here is undefined.
 */
#ifndef LIB_BYTES_H
#define LIB_BYTES_H

#include "lib/types.h"

/* The low @bytes (1 to 8) all ones, the rest zero */
static inline u64 ones_of(u32 bytes)
{
	if (bytes - 1 > 7)
		__builtin_unreachable(); /* tells the analyzer the contract */
	return ~0ull >> (64 - 8 * bytes);
}

/* @old with its bits @mask from @value */
static inline u64 merge_bits(u64 old, u64 value, u64 mask)
{
	return (old & ~mask) | (value & mask);
}

/* @old with its low @bytes (1 to 8) from @value */
static inline u64 merge_bytes(u64 old, u64 value, u32 bytes)
{
	return merge_bits(old, value, ones_of(bytes));
}

/* The low @bits (1 to 64) of @value, the topmost of them copied upward */
static inline u64 sign_extend_bits(u64 value, u32 bits)
{
	return (u64)((s64)(value << (64 - bits)) >> (64 - bits));
}

/* The low @bytes (1 to 8) of @value, the topmost bit of them copied upward */
static inline u64 sign_extend(u64 value, u32 bytes)
{
	return sign_extend_bits(value, 8 * bytes);
}

#endif
