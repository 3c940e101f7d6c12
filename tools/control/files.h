/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small files, above all of sysfs. Each returns 0 or -errno. The path is made
 * by printf's rules; one that is too long is -ENAMETOOLONG.
 */
#ifndef TOOLS_CONTROL_FILES_H
#define TOOLS_CONTROL_FILES_H

#include "lib/types.h"

/* The first @size - 1 bytes without a line end, terminated */
int file_line(char *text, size_t size, const char *fmt, ...) __printf(3, 4);
/* Writes @text into a file that is there, in one piece */
int file_set(const char *text, const char *fmt, ...) __printf(2, 3);
/* The last part of a symbolic link's target */
int link_name(char *name, size_t size, const char *fmt, ...) __printf(3, 4);
/* Makes or replaces @path: whoever reads it finds the old text or the new one,
 * whenever the power fails */
int file_replace(const char *path, const char *text, size_t len,
		 unsigned int mode);
/* Removes @path: it stays away, whenever the power fails. 0 also where there is
 * none. */
int file_remove(const char *path);
/* The whole of a text file of at most @max bytes, terminated; the caller frees
 * it. NULL: errno. */
char *file_read(const char *path, size_t max, size_t *len);

#endif
