/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See filter.h. Called by console.c for each byte of a guest in mode "all". No
 * state but the caller's. Control functions are those of ECMA-48; UTF-8 is
 * Unicode 3.9, table 3-7.
 */
#include "hv/console/filter.h"

#include "lib/string.h"

#define ESC             0x1b
#define DEL             0x7fu
#define SEQUENCE_MAX    32u /* a longer one is text */
#define SURROGATE_FIRST 0xd800u
#define SURROGATE_LAST  0xdfffu
#define CODE_MAX        0x10ffffu

/* Characters that nobody sees, or that change how others are seen: C1 controls
 * and what Unicode calls format characters. Sorted. */
static const struct {
	u32 first, last;
} hidden[] = {
	{ 0x0000, 0x001f },   { 0x007f, 0x009f },   { 0x00ad, 0x00ad },
	{ 0x061c, 0x061c },   { 0x180e, 0x180e },   { 0x200b, 0x200f },
	{ 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb },   { 0xfffe, 0xffff },   { 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

static bool is_hidden(u32 code)
{
	for (u32 i = 0; i < ARRAY_SIZE(hidden); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return true;
	return false;
}

static u32 put_number(char *out, u8 byte)
{
	static const char digits[] = "0123456789abcdef";

	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[byte >> 4];
	out[3] = digits[byte & 15];
	return 4;
}

/* What has come of a character, as numbers */
static u32 put_numbers(struct filter *f, char *out)
{
	u32 n = 0;

	for (u32 i = 0; i < f->have; i++)
		n += put_number(out + n, f->bytes[i]);
	f->state = FILTER_TEXT;
	return n;
}

/* The bytes that a character takes which begins with @lead; 0: none does */
static u8 utf8_length(u8 lead)
{
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

static bool utf8_is_shown(const u8 *bytes, u8 n)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	u32 code = bytes[0] & (0xffu >> (n + 1));

	for (u32 i = 1; i < n; i++)
		code = code << 6 | (bytes[i] & 0x3f);
	return code >= least[n] && code <= CODE_MAX &&
	       (code < SURROGATE_FIRST || code > SURROGATE_LAST) &&
	       !is_hidden(code);
}

static u32 take_text(struct filter *f, u8 byte, char *out)
{
	if ((byte >= ' ' && byte < DEL) || byte == '\t') {
		*out = (char)byte;
		return 1;
	}
	f->have = 1;
	f->bytes[0] = byte;
	f->need = utf8_length(byte);
	if (byte == ESC)
		f->state = FILTER_ESCAPE;
	else if (f->need)
		f->state = FILTER_UTF8;
	else
		return byte ? put_number(out, byte) : 0;
	return 0;
}

static u32 take_utf8(struct filter *f, u8 byte, char *out)
{
	u32 n;

	if ((byte & 0xc0) != 0x80) {
		n = put_numbers(f, out);
		return n + take_text(f, byte, out + n);
	}
	f->bytes[f->have++] = byte;
	if (f->have < f->need)
		return 0;
	if (!utf8_is_shown(f->bytes, f->need))
		return put_numbers(f, out);
	f->state = FILTER_TEXT;
	memcpy(out, f->bytes, f->need);
	return f->need;
}

/* ESC, intermediate bytes 20h to 2Fh, a final byte (ECMA-48 5.3, 13.1) */
static u32 take_escape(struct filter *f, u8 byte, char *out)
{
	if (byte == '[' && f->have == 1)
		f->state = FILTER_CSI;
	else if (byte < ' ' || byte >= DEL || f->have == SEQUENCE_MAX) {
		f->state = FILTER_TEXT;
		return take_text(f, byte, out);
	} else if (byte >= '0')
		f->state = FILTER_TEXT;
	f->have++;
	return 0;
}

/* Does a control sequence that ends so move the cursor (ECMA-48 8.3)? */
static bool moves_cursor(u8 final)
{
	return (final >= 'A' && final <= 'H') || final == 'd' || final == 'f';
}

/* Behind CSI: bytes 20h to 3Fh, then a final one from 40h on (5.4). What is
 * written in two places stays two words. */
static u32 take_csi(struct filter *f, u8 byte, char *out)
{
	if (byte < ' ' || byte >= DEL || f->have == SEQUENCE_MAX) {
		f->state = FILTER_TEXT;
		return take_text(f, byte, out);
	}
	f->have++;
	if (byte < '@')
		return 0;
	f->state = FILTER_TEXT;
	*out = ' ';
	return moves_cursor(byte);
}

u32 filter_byte(struct filter *f, u8 byte, char *out)
{
	static u32 (*const takers[])(struct filter *, u8, char *) = {
		[FILTER_TEXT] = take_text,
		[FILTER_UTF8] = take_utf8,
		[FILTER_ESCAPE] = take_escape,
		[FILTER_CSI] = take_csi,
	};

	return takers[f->state](f, byte, out);
}
