/* SPDX-License-Identifier: BSD-2-Clause */
/* See cpio.h. Used by arch/x86/machine/microcode.c. No state, no lock. */
#include "lib/cpio.h"

#include "lib/errno.h"
#include "lib/string.h"

#define MAGIC       "070701" /* without checksums */
#define MAGIC_SUMS  "070702"
#define MAGIC_BYTES 6
#define FIELD_CHARS 8
#define FIELD_COUNT 13
#define HEADER      (MAGIC_BYTES + FIELD_COUNT * FIELD_CHARS)
#define ALIGNMENT   4 /* of names, data and headers, from the start on */

enum field { FIELD_FILE_BYTES = 6, FIELD_NAME_BYTES = 11 };

/* Where the parts of an entry are */
struct entry {
	u64 name, name_bytes, data, data_bytes, next;
};

static int hex_digit(u8 c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_field(const u8 *header, enum field field, u64 *value)
{
	const u8 *chars = header + MAGIC_BYTES + field * FIELD_CHARS;

	*value = 0;
	for (u32 i = 0; i < FIELD_CHARS; i++) {
		int digit = hex_digit(chars[i]);

		if (digit < 0)
			return false;
		*value = *value << 4 | (u64)digit;
	}
	return true;
}

static bool is_header(const u8 *at, u64 left)
{
	return left >= HEADER && (!memcmp(at, MAGIC, MAGIC_BYTES) ||
				  !memcmp(at, MAGIC_SUMS, MAGIC_BYTES));
}

/* The sizes have 32 bits, so no sum of theirs wraps */
static int read_entry(const u8 *archive, u64 size, u64 at, struct entry *e)
{
	const u8 *header = archive + at;

	if (!read_field(header, FIELD_NAME_BYTES, &e->name_bytes) ||
	    !read_field(header, FIELD_FILE_BYTES, &e->data_bytes))
		return -EINVAL;
	e->name = at + HEADER;
	e->data = ALIGN_UP(e->name + e->name_bytes, ALIGNMENT);
	e->next = ALIGN_UP(e->data + e->data_bytes, ALIGNMENT);
	if (!e->name_bytes || e->data > size || e->data_bytes > size - e->data)
		return -EINVAL;
	return archive[e->name + e->name_bytes - 1] ? -EINVAL : 0;
}

int cpio_find(const void *archive, u64 size, const char *name,
	      struct cpio_file *out)
{
	u64 bytes = strlen(name) + 1, at = 0;
	const u8 *base = archive;
	struct entry e;

	while (at < size) {
		if (!base[at]) {
			at++;
			continue;
		}
		if (!is_header(base + at, size - at))
			return -ENOENT;
		if (read_entry(base, size, at, &e))
			return -EINVAL;
		if (e.name_bytes == bytes &&
		    !memcmp(base + e.name, name, bytes)) {
			*out = (struct cpio_file){ base + e.data,
						   e.data_bytes };
			return 0;
		}
		at = e.next;
	}
	return -ENOENT;
}
