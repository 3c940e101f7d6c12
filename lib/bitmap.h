/* SPDX-License-Identifier: BSD-2-Clause */
/* Bit arrays in u64 words. Not atomic: the owner states its lock. */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include "lib/types.h"

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

static inline bool bit_test(const u64 *map, u64 bit)
{
	return map[bit / 64] >> (bit % 64) & 1;
}

static inline void bit_set(u64 *map, u64 bit)
{
	map[bit / 64] |= BIT(bit % 64);
}

static inline void bit_clear(u64 *map, u64 bit)
{
	map[bit / 64] &= ~BIT(bit % 64);
}

/* Ranges must lie inside the map */
void bitmap_set(u64 *map, u64 first, u64 count);
void bitmap_clear(u64 *map, u64 first, u64 count);
/* First set (clear) bit at or after @from; @bits when there is none */
u64 bitmap_next_set(const u64 *map, u64 bits, u64 from);
u64 bitmap_next_clear(const u64 *map, u64 bits, u64 from);
u64 bitmap_count(const u64 *map, u64 bits);
/* First run of @count clear bits; @bits when there is none */
u64 bitmap_find_clear_run(const u64 *map, u64 bits, u64 count);

#endif
