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

/* The sum of @size bytes modulo 256, eight at a time: the even bytes of a word,
 * then the odd ones, as four sums of 16 bits each */
static inline u8 sum_of_bytes(const void *p, size_t size)
{
	const u64 even = 0x00ff00ff00ff00ffull;
	const u8 *b = p;
	u64 sums = 0, word;
	u8 sum = 0;

	for (; size >= sizeof(word); size -= sizeof(word), b += sizeof(word)) {
		__builtin_memcpy(&word, b, sizeof(word));
		sums = (sums + (word & even) + (word >> 8 & even)) & even;
	}
	for (; size; size--)
		sum = (u8)(sum + *b++);
	return (u8)(sum + sums + (sums >> 16) + (sums >> 32) + (sums >> 48));
}

/* The low @bytes (1 to 8) of @value to @to, the lowest first */
static inline void put_bytes(void *to, u64 value, u32 bytes)
{
	__builtin_memcpy(to, &value, bytes);
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
