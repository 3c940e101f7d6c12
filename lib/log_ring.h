/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log's RAM ring. It lies in a buffer the caller gives, at the same
 * physical address at every boot, so that after a warm reset the next boot can
 * show what the last one said. The buffer has two halves: one is written now,
 * the other keeps the boot before. What is found there is memory of unknown
 * content until the header's checksum, and then still only text to be filtered.
 *
 * Lines written before log_ring_attach() are kept in a small static ring and
 * carried over. Called under log.c's lock.
 */
#ifndef LIB_LOG_RING_H
#define LIB_LOG_RING_H

#include "lib/types.h"

#define LOG_RING_MIN_SIZE 1024

/* Use @buf from now on; true when it held the text of an earlier boot, which
 * log_ring_dump_previous() then shows. A @size below the minimum is refused:
 * the static ring stays in use. */
bool log_ring_attach(void *buf, size_t size);
void log_ring_write(const char *text, size_t len);
/* Each line of the boot before, oldest first, without line feed; bytes that
 * are not printable are shown as '.'. What is logged meanwhile is not kept in
 * the ring, or every boot would carry all that went before. */
void log_ring_dump_previous(void (*fn)(const char *line, size_t len));
/* The same of the current boot */
void log_ring_dump(void (*fn)(const char *line, size_t len));

#endif
