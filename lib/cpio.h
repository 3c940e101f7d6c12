/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files in an archive of cpio's "new ASCII" format, as an initrd begins with
 * (Linux, Documentation/driver-api/early-userspace/buffer-format.rst). The
 * archive is not trusted. Pure: any context.
 */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include "lib/types.h"

struct cpio_file {
	const u8 *data; /* in the archive, not aligned to more than 4 bytes */
	u64 size;
};

/*
 * Finds the file of the exact path @name in the @size bytes at @archive; the
 * first of several. Archives that follow one another count as one, with zeros
 * in between; what is no header ends the search, a compressed archive among
 * them. -ENOENT: there is none. -EINVAL: a header before it contradicts itself,
 * or the archive.
 */
int __must_check cpio_find(const void *archive, u64 size, const char *name,
			   struct cpio_file *out);

#endif
