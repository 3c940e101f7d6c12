// SPDX-License-Identifier: BSD-2-Clause
/* See bitmap.h */
#include "lib/bitmap.h"

/* Bits of word @word that lie in [first, end) */
static u64 word_mask(u64 word, u64 first, u64 end)
{
	u64 base = word * 64;
	u64 lo = first > base ? first - base : 0;
	u64 hi = MIN(end - base, 64ull);

	return BITS(hi - 1, lo);
}

void bitmap_set(u64 *map, u64 first, u64 count)
{
	u64 end = first + count;

	for (u64 w = first / 64; w * 64 < end; w++)
		if (count)
			map[w] |= word_mask(w, first, end);
}

void bitmap_clear(u64 *map, u64 first, u64 count)
{
	u64 end = first + count;

	for (u64 w = first / 64; w * 64 < end; w++)
		if (count)
			map[w] &= ~word_mask(w, first, end);
}

static u64 next(const u64 *map, u64 bits, u64 from, u64 invert)
{
	for (u64 w = from / 64; w * 64 < bits && from < bits; w++) {
		u64 word = (map[w] ^ invert) & word_mask(w, from, bits);

		if (word)
			return w * 64 + (u64)__builtin_ctzll(word);
	}
	return bits;
}

u64 bitmap_next_set(const u64 *map, u64 bits, u64 from)
{
	return next(map, bits, from, 0);
}

u64 bitmap_next_clear(const u64 *map, u64 bits, u64 from)
{
	return next(map, bits, from, ~0ull);
}

static u64 word_count(u64 word)
{
	u64 count = 0;

	for (; word; word &= word - 1)
		count++;
	return count;
}

u64 bitmap_count(const u64 *map, u64 bits)
{
	u64 count = 0;

	for (u64 w = 0; w * 64 < bits; w++)
		count += word_count(map[w] & word_mask(w, 0, bits));
	return count;
}

u64 bitmap_find_clear_run(const u64 *map, u64 bits, u64 count)
{
	u64 first = bitmap_next_clear(map, bits, 0);

	while (first < bits && bits - first >= count) {
		u64 end = bitmap_next_set(map, first + count, first);

		if (end >= first + count)
			return first;
		first = bitmap_next_clear(map, bits, end);
	}
	return bits;
}
