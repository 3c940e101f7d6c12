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

/*
 * Uses @buf of @size bytes, 8-byte aligned, from now on and for good. True: it
 * held text of an earlier boot, which log_ring_dump_previous() shows. A @size
 * below LOG_RING_MIN_SIZE is refused, and the static ring stays in use. Boot
 * CPU, before other cores run.
 */
bool log_ring_attach(void *buf, size_t size);
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
