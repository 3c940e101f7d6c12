/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a console said, on disk: FOLDER/NAME/BOOT-ID-START.log. START is the
 * position of the file's first byte and all bytes behind it follow without a
 * gap, so that the next bhd goes on where this one ended. Files of 1 MiB; the
 * oldest go. A disk that is full or read-only loses history and nothing else.
 */
#ifndef TOOLS_BHD_HISTORY_H
#define TOOLS_BHD_HISTORY_H

#include <limits.h>

#include "lib/types.h"

#define HISTORY_FILE_BYTES MIB(1)
#define HISTORY_FILES      8

struct history_file {
	u64 start, bytes;
};

struct history {
	char *folder; /* NULL: none is kept */
	u64 boot, id;
	u32 count; /* of this guest, by position; the last one grows */
	struct history_file files[HISTORY_FILES];
	int fd;      /* of the last; -1: a new one begins with the next byte */
	bool failed; /* said already */
};

/* Finds what a bhd before kept of guest @id of this @boot. @folder NULL: none
 * is kept. */
void history_open(struct history *h, const char *folder, const char *name,
		  u64 boot, u64 id);
void history_close(struct history *h);
/* The position behind the last byte that is kept; 0: none is */
u64 history_end(const struct history *h);
/* The first position at or behind @at that is kept; *@found false: none */
u64 history_next(const struct history *h, u64 at, bool *found);
void history_append(struct history *h, u64 at, const u8 *bytes, u32 count);
/* Bytes from @at on; 0: that position is not kept */
u32 history_read(const struct history *h, u64 at, u8 *bytes, u32 count);

#endif
