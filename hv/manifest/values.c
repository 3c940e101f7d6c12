/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the values of bulkhead.conf are spelled: numbers, words, texts, UUIDs.
 * Called by hv/manifest/keys.c; the text is untrusted and ends with a zero.
 */
#include "hv/manifest/values.h"

#include "hv/manifest/parser.h"
#include "lib/errno.h"
#include "lib/string.h"

int value_take_number(const char **s, u64 max, u64 *out)
{
	u64 n = 0;

	if (!is_digit(**s))
		return -EINVAL;
	for (; is_digit(**s); (*s)++) {
		n = n * 10 + (u64)(**s - '0');
		if (n > max)
			return -EINVAL;
	}
	*out = n;
	return 0;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int value_number(const char *s, u64 max, u64 *out)
{
	u64 n = 0;

	if (s[0] != '0' || (s[1] != 'x' && s[1] != 'X'))
		return value_take_number(&s, max, out) || *s ? -EINVAL : 0;
	s += 2;
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (hex_digit(*s) < 0)
			return -EINVAL;
		n = n << 4 | (u64)hex_digit(*s);
		if (n > max)
			return -EINVAL;
	}
	*out = n;
	return 0;
}

int value_take_hex(const char **s, u64 max, u64 *out)
{
	u64 n = 0;

	if (hex_digit(**s) < 0)
		return -EINVAL;
	for (; hex_digit(**s) >= 0; (*s)++) {
		n = n << 4 | (u64)hex_digit(**s);
		if (n > max)
			return -EINVAL;
	}
	*out = n;
	return 0;
}

int value_bool(const char *s, bool *out)
{
	bool yes = !strcmp(s, "yes");

	if (!yes && strcmp(s, "no"))
		return -EINVAL;
	*out = yes;
	return 0;
}

/* Two hexadecimal digits; -1: they are not */
static int hex_byte(const char *s)
{
	int high = hex_digit(s[0]), low;

	if (high < 0)
		return -1;
	low = hex_digit(s[1]);
	return low < 0 ? -1 : high << 4 | low;
}

int value_take_word(const char **value, char *out, size_t size)
{
	const char *s = *value;
	size_t n = 0;

	for (; *s && !is_blank(*s); s++) {
		if (n + 1 == size)
			return -EINVAL;
		out[n++] = *s;
	}
	out[n] = 0;
	while (is_blank(*s))
		s++;
	*value = s;
	return n ? 0 : -EINVAL;
}

/* What a backslash of a text in quotes begins: \\, \", or \xHH */
static int take_escape(const char **s, char *out)
{
	const char *at = *s + 1;
	int byte;

	if (*at == '\\' || *at == '"') {
		*out = *at;
		*s = at + 1;
		return 0;
	}
	if (*at != 'x')
		return -EINVAL;
	byte = hex_byte(at + 1);
	if (byte < 0)
		return -EINVAL;
	*out = (char)byte;
	*s = at + 3;
	return 0;
}

int value_text(const char *s, struct fwcfg_config *item)
{
	item->text_len = 0;
	for (s++; *s && *s != '"'; item->text_len++) {
		char *to = &item->text[item->text_len];

		if (item->text_len == sizeof(item->text))
			return -EINVAL;
		if (*s != '\\')
			*to = *s++;
		else if (take_escape(&s, to))
			return -EINVAL;
	}
	return s[0] == '"' && !s[1] ? 0 : -EINVAL;
}

/* SMBIOS has the first three fields in little-endian order (DSP0134 7.2.1
 * *System - UUID*) */
int value_uuid(const char *s, u8 uuid[MANIFEST_UUID_LEN])
{
	static const u8 order[] = { 3, 2, 1,  0,  5,  4,  7,  6,
				    8, 9, 10, 11, 12, 13, 14, 15 };
	u8 bytes[MANIFEST_UUID_LEN];

	for (u32 i = 0; i < sizeof(bytes); i++) {
		int byte;

		if (i >= 4 && i <= 10 && i % 2 == 0 && *s++ != '-')
			return -EINVAL;
		byte = hex_byte(s);
		if (byte < 0)
			return -EINVAL;
		bytes[order[i]] = (u8)byte;
		s += 2;
	}
	if (*s)
		return -EINVAL;
	memcpy(uuid, bytes, sizeof(bytes));
	return 0;
}
