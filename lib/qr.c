/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See qr.h. Used by hv/console/code.c in a panic. The steps are those of the
 * standard: data codewords (7.4), Reed-Solomon blocks (7.5, 7.6), function
 * patterns (6.3), placement (7.7), and of the eight masks the one with the
 * lowest penalty (7.8). All numbers that the standard lists are computed but
 * for the table of blocks. Over 400 lines: the steps in the standard's order.
 */
#include "lib/qr.h"

#include "lib/errno.h"
#include "lib/string.h"

#define MODE_BYTES 4u /* 7.4.1, table 2 */
#define PAD_FIRST  0xecu
#define PAD_NEXT   0x11u
#define FIELD_POLY 0x11du /* 7.5.2: x^8 + x^4 + x^3 + x^2 + 1 */
#define EC_MAX     30u
#define LEVEL_L    1u /* 7.9.1, table 12 */
#define MASKS      8u

/* Level L of table 9: error correction codewords of a block, and blocks */
static const struct {
	u8 ec, blocks;
} levels[QR_VERSION_MAX + 1] = {
	{ 0, 0 },   { 7, 1 },   { 10, 1 }, { 15, 1 }, { 20, 1 }, { 26, 1 },
	{ 18, 2 },  { 20, 2 },  { 24, 2 }, { 30, 2 }, { 18, 4 }, { 20, 4 },
	{ 24, 4 },  { 26, 4 },  { 30, 4 }, { 22, 6 }, { 24, 6 }, { 28, 6 },
	{ 30, 6 },  { 28, 7 },  { 28, 8 }, { 28, 8 }, { 28, 9 }, { 30, 9 },
	{ 30, 10 }, { 26, 12 },
};

/* How many alignment patterns stand in a row (annex E) */
static u32 alignments(u32 version)
{
	return version == 1 ? 0 : version / 7 + 2;
}

/* Modules for data and error correction, by what the patterns leave */
static u32 raw_modules(u32 version)
{
	u32 side = 17 + 4 * version, n = alignments(version);
	u32 left = side * side;

	left -= 3 * 8 * 8;          /* finders and separators */
	left -= 2 * 15 + 1;         /* format, the dark module */
	left -= 2 * (side - 2 * 8); /* timing */
	if (version >= 7)
		left -= 2 * 18;
	/* Those on the timing patterns share five modules with them */
	if (n)
		left -= (n * n - 3) * 25 - 2 * (n - 2) * 5;
	return left;
}

static u32 codewords(u32 version)
{
	return raw_modules(version) / 8;
}

static u32 data_codewords(u32 version)
{
	return codewords(version) -
	       levels[version].ec * (u32)levels[version].blocks;
}

/* The mode and the length stand before the bytes */
static u32 length_bits(u32 version)
{
	return version < 10 ? 8 : 16;
}

u32 qr_capacity(u32 version)
{
	if (version < 1 || version > QR_VERSION_MAX)
		return 0;
	return (data_codewords(version) * 8 - 4 - length_bits(version)) / 8;
}

/* --- codewords --- */

static void put_bits(struct qr *q, u32 *at, u32 value, u32 bits)
{
	while (bits--) {
		if (value >> bits & 1)
			q->data[*at / 8] |= (u8)(0x80 >> *at % 8);
		(*at)++;
	}
}

static void put_text(struct qr *q, const u8 *text, u32 len)
{
	u32 at = 0, room = data_codewords(q->version);
	bool first = true;

	memset(q->data, 0, sizeof(q->data));
	put_bits(q, &at, MODE_BYTES, 4);
	put_bits(q, &at, len, length_bits(q->version));
	for (u32 i = 0; i < len; i++)
		put_bits(q, &at, text[i], 8);
	/* The terminator of up to four zeros, and zeros up to a codeword */
	at = ALIGN_UP(MIN(at + 4, room * 8), 8);
	for (u32 i = at / 8; i < room; i++, first = !first)
		q->data[i] = first ? PAD_FIRST : PAD_NEXT;
}

static u8 field_mul(u8 a, u8 b)
{
	u32 product = 0;

	for (u32 bit = 8; bit--;) {
		product <<= 1;
		if (product & 0x100)
			product ^= FIELD_POLY;
		if (b >> bit & 1)
			product ^= a;
	}
	return (u8)product;
}

/* The product of (x - 2^i), without its leading 1, highest power first */
static void generator(u8 *g, u32 degree)
{
	u8 root = 1;

	memset(g, 0, degree);
	g[degree - 1] = 1;
	for (u32 i = 0; i < degree; i++) {
		for (u32 j = 0; j < degree; j++) {
			g[j] = field_mul(g[j], root);
			if (j + 1 < degree)
				g[j] ^= g[j + 1];
		}
		root = field_mul(root, 2);
	}
}

/* The remainder of @data by the generator */
static void correction(const u8 *data, u32 len, const u8 *g, u32 degree,
		       u8 *out)
{
	memset(out, 0, degree);
	for (u32 i = 0; i < len; i++) {
		u8 factor = data[i] ^ out[0];

		memmove(out, out + 1, degree - 1);
		out[degree - 1] = 0;
		for (u32 j = 0; j < degree; j++)
			out[j] ^= field_mul(g[j], factor);
	}
}

/* The last blocks have one data codeword more than the first */
static void interleave(struct qr *q)
{
	u32 blocks = levels[q->version].blocks, degree = levels[q->version].ec;
	u32 total = data_codewords(q->version), low = total / blocks;
	u32 shorter = blocks - total % blocks, from = 0;
	u8 g[EC_MAX], ec[EC_MAX];

	generator(g, degree);
	for (u32 b = 0; b < blocks; b++) {
		u32 len = low + (b >= shorter ? 1 : 0);

		correction(q->data + from, len, g, degree, ec);
		for (u32 i = 0; i < low; i++)
			q->words[i * blocks + b] = q->data[from + i];
		if (len > low)
			q->words[low * blocks + b - shorter] =
				q->data[from + low];
		for (u32 i = 0; i < degree; i++)
			q->words[total + i * blocks + b] = ec[i];
		from += len;
	}
}

/* --- modules --- */

static void set(struct qr *q, u32 y, u32 x, bool dark)
{
	q->dark[y][x] = dark;
	q->fixed[y][x] = 1;
}

/* Rings around a center: dark, and light at @light_a and @light_b from it */
static void rings(struct qr *q, s32 y, s32 x, s32 reach)
{
	s32 side = (s32)q->side;

	for (s32 dy = -reach; dy <= reach; dy++) {
		for (s32 dx = -reach; dx <= reach; dx++) {
			s32 ay = dy < 0 ? -dy : dy, ax = dx < 0 ? -dx : dx;
			s32 ring = MAX(ay, ax);
			bool light =
				reach == 2 ? ring == 1 : ring == 2 || ring == 4;

			if (y + dy < 0 || y + dy >= side || x + dx < 0 ||
			    x + dx >= side)
				continue;
			set(q, (u32)(y + dy), (u32)(x + dx), !light);
		}
	}
}

/* Annex E: the first is at 6, the last at the side less 7, and the distances
 * between are even and equal but for the first, which is the smallest */
static u32 alignment_at(const struct qr *q, u32 i)
{
	u32 n = alignments(q->version), last = q->side - 7, step;

	if (i == 0)
		return 6;
	step = ALIGN_UP((last - 6 + n - 2) / (n - 1), 2);
	return last - step * (n - 1 - i);
}

static void put_alignments(struct qr *q)
{
	u32 n = alignments(q->version);

	for (u32 i = 0; i < n; i++) {
		for (u32 j = 0; j < n; j++) {
			bool finder = (i == 0 && j == 0) ||
				      (i == 0 && j == n - 1) ||
				      (i == n - 1 && j == 0);

			if (!finder)
				rings(q, (s32)alignment_at(q, i),
				      (s32)alignment_at(q, j), 2);
		}
	}
}

/* @value, and behind it the remainder by @poly of @degree */
static u32 bch(u32 value, u32 poly, u32 degree)
{
	u32 rest = value << degree;

	for (u32 bit = 31; bit >= degree; bit--)
		if (rest >> bit & 1)
			rest ^= poly << (bit - degree);
	return value << degree | rest;
}

/* 7.9.1: twice, around the finders */
static void put_format(struct qr *q, u32 mask)
{
	u32 bits = bch(LEVEL_L << 3 | mask, 0x537, 10) ^ 0x5412;

	for (u32 i = 0; i < 15; i++) {
		bool dark = bits >> i & 1;
		u32 near = i < 6 ? i : i < 8 ? i + 1 : 14 - i;

		if (i < 8)
			set(q, near, 8, dark);
		else
			set(q, 8, i == 8 ? 7 : near, dark);
		if (i < 8)
			set(q, 8, q->side - 1 - i, dark);
		else
			set(q, q->side - 15 + i, 8, dark);
	}
	set(q, q->side - 8, 8, true);
}

/* 7.10 */
static void put_version(struct qr *q)
{
	u32 bits = bch(q->version, 0x1f25, 12);

	for (u32 i = 0; i < 18 && q->version >= 7; i++) {
		u32 far = q->side - 11 + i % 3;

		set(q, i / 3, far, bits >> i & 1);
		set(q, far, i / 3, bits >> i & 1);
	}
}

static void put_patterns(struct qr *q)
{
	for (u32 i = 0; i < q->side; i++) {
		set(q, 6, i, i % 2 == 0);
		set(q, i, 6, i % 2 == 0);
	}
	rings(q, 3, 3, 4);
	rings(q, 3, (s32)q->side - 4, 4);
	rings(q, (s32)q->side - 4, 3, 4);
	put_alignments(q);
	put_format(q, 0);
	put_version(q);
}

/* 7.7.3: pairs of columns from the right, up and down in turn; the column of
 * the timing pattern does not count */
static void put_words(struct qr *q)
{
	u32 bits = codewords(q->version) * 8, at = 0;

	for (u32 pair = 0; pair < q->side / 2; pair++) {
		u32 right = q->side - 1 - 2 * pair;

		if (right <= 6)
			right--;
		for (u32 i = 0; i < 2 * q->side; i++) {
			u32 line = i / 2, x = right - i % 2;
			u32 y = pair % 2 ? line : q->side - 1 - line;

			if (q->fixed[y][x])
				continue;
			q->dark[y][x] = at < bits &&
					(q->words[at / 8] >> (7 - at % 8) & 1);
			at++;
		}
	}
}

/* 7.8.2, table 10 */
static bool mask_at(u32 mask, u32 y, u32 x)
{
	switch (mask) {
	case 0:
		return (y + x) % 2 == 0;
	case 1:
		return y % 2 == 0;
	case 2:
		return x % 3 == 0;
	case 3:
		return (y + x) % 3 == 0;
	case 4:
		return (y / 2 + x / 3) % 2 == 0;
	case 5:
		return y * x % 2 + y * x % 3 == 0;
	case 6:
		return (y * x % 2 + y * x % 3) % 2 == 0;
	default:
		return ((y + x) % 2 + y * x % 3) % 2 == 0;
	}
}

/* Twice is as before */
static void put_mask(struct qr *q, u32 mask)
{
	for (u32 y = 0; y < q->side; y++)
		for (u32 x = 0; x < q->side; x++)
			if (!q->fixed[y][x])
				q->dark[y][x] ^= mask_at(mask, y, x);
	put_format(q, mask);
}

static bool module_at(const struct qr *q, u32 line, u32 i, bool column)
{
	return column ? q->dark[i][line] : q->dark[line][i];
}

/* 7.8.3.1, the first and the third feature of one line: runs of five and more;
 * what looks like a finder, 1011101 with four light ones on a side */
static u32 line_penalty(const struct qr *q, u32 line, bool column)
{
	u32 sum = 0, run = 0, last = 0;
	bool before = false;

	for (u32 i = 0; i < q->side; i++) {
		bool dark = module_at(q, line, i, column);

		run = i && dark == before ? run + 1 : 1;
		before = dark;
		sum += run == 5 ? 3 : run > 5 ? 1 : 0;
		last = (last << 1 | dark) & 0x7ff;
		if (i >= 10 && (last == 0x05d || last == 0x5d0))
			sum += 40;
	}
	return sum;
}

static u32 penalty(const struct qr *q)
{
	u32 sum = 0, dark = 0, percent;

	for (u32 i = 0; i < q->side; i++)
		sum += line_penalty(q, i, false) + line_penalty(q, i, true);
	for (u32 y = 0; y < q->side; y++)
		for (u32 x = 0; x < q->side; x++)
			dark += q->dark[y][x];
	for (u32 y = 0; y + 1 < q->side; y++)
		for (u32 x = 0; x + 1 < q->side; x++) {
			u8 first = q->dark[y][x];

			if (q->dark[y][x + 1] == first &&
			    q->dark[y + 1][x] == first &&
			    q->dark[y + 1][x + 1] == first)
				sum += 3;
		}
	percent = dark * 100 / MAX(q->side * q->side, 1u);
	return sum + (percent > 50 ? percent - 50 : 50 - percent) / 5 * 10;
}

int qr_encode(struct qr *q, const void *text, u32 len, u32 version_max)
{
	u32 best = 0, lowest = UINT32_MAX, version = 1;

	while (version <= version_max && qr_capacity(version) < len)
		version++;
	if (version > version_max || !qr_capacity(version))
		return -ENOSPC;
	q->version = version;
	q->side = 17 + 4 * version;
	memset(q->dark, 0, sizeof(q->dark));
	memset(q->fixed, 0, sizeof(q->fixed));
	put_text(q, text, len);
	interleave(q);
	put_patterns(q);
	put_words(q);
	for (u32 mask = 0; mask < MASKS; mask++) {
		u32 now;

		put_mask(q, mask);
		now = penalty(q);
		if (now < lowest) {
			lowest = now;
			best = mask;
		}
		put_mask(q, mask);
	}
	put_mask(q, best);
	return 0;
}
