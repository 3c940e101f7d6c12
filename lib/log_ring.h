/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log's RAM ring. It lies in a buffer at the same physical address at every
 * boot, so that after a warm reset the next boot can show what the last one
 * said. The buffer has two halves: one is written now, the other keeps the boot
 * before. Nothing found there is trusted before the header's checksum holds,
 * and its text is filtered even then.
 *
 * Lines from before log_ring_attach() are in a small static ring and are
 * carried over. No lock here: see each function.
 */
#ifndef LIB_LOG_RING_H
#define LIB_LOG_RING_H

#include "lib/types.h"

#define LOG_RING_MIN_SIZE 1024

/* Where the hypervisor's ring may lie: the first place of these that is free
 * memory. The UEFI loader looks at all of them, and keeps its files off. */
#define LOG_RING_BYTES KIB(64)
#define LOG_RING_PLACES                                                        \
	{                                                                      \
		MIB(96), MIB(64), MIB(32), MIB(160)                            \
	}

/* How the boot of a log ended */
enum log_end {
	LOG_END_CUT,     /* by a reset or the power, in the middle */
	LOG_END_PANIC,   /* by a panic, or it could not start a guest */
	LOG_END_ORDERLY, /* by its own power-off or reset */
};

/* The log of the boot that wrote a ring last, where it lies */
struct log_ring_view {
	const char *text;
	u64 size, head; /* of its half; bytes ever written there */
	enum log_end end;
	bool saved; /* log_ring_set_saved() was called for it */
};

/* Looks at the @size bytes at @buf without a change. False: there is no valid
 * ring with text. Nobody may write to it meanwhile. */
bool log_ring_look(const void *buf, size_t size, struct log_ring_view *out);
/* Notes that the log that log_ring_look() found at @buf is in a file */
void log_ring_set_saved(void *buf);
/* Copies the last whole lines of @v that fit into @size bytes, with line feeds
 * and without a terminating zero; a byte that is not printable becomes a '.'.
 * Returns how many bytes. */
size_t log_ring_copy(const struct log_ring_view *v, char *buf, size_t size);

/*
 * Uses @buf of @size bytes, 8-byte aligned, from now on and for good. True: it
 * held text of an earlier boot, which log_ring_dump_previous() shows. A @size
 * below LOG_RING_MIN_SIZE is refused, and the static ring stays in use. Boot
 * CPU, before other cores run.
 */
bool log_ring_attach(void *buf, size_t size);
/* The log of the boot before that log_ring_attach() found; NULL: none. It stays
 * as it is. Any core. */
const struct log_ring_view *log_ring_previous(void);
/* Notes how this boot ends. Any context; the last call counts. */
void log_ring_end(enum log_end end);
/* Appends @len bytes; the oldest make room. By log.c, under the log's lock. */
void log_ring_write(const char *text, size_t len);
/*
 * Calls @fn for each line of the boot before, oldest first. A line has no line
 * feed and no terminating zero. A byte that is not printable is a '.' in it; a
 * line of more than 256 bytes comes in pieces. @fn may log: the ring does not
 * keep what is logged meanwhile, or each boot would carry all earlier ones.
 * Boot CPU, before other cores run; not under the log's lock.
 */
void log_ring_dump_previous(void (*fn)(const char *line, size_t len));
/* The same of this boot's lines; @fn does not log. Nobody may log meanwhile. */
void log_ring_dump(void (*fn)(const char *line, size_t len));

#endif
