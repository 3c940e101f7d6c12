/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's last exits (include/bulkhead/control.h) in words: for the log of the
 * hypervisor, and for the programs that show a crash. */
#ifndef LIB_LAST_EXIT_TEXT_H
#define LIB_LAST_EXIT_TEXT_H

#include "include/bulkhead/control.h"
#include "lib/types.h"

#define LAST_EXIT_TEXT_BYTES  256u
#define LAST_EXIT_KINDS_BYTES 192u

/* "port at 0x7c00, writes 0x6 to port 0xcf9, 1 byte, 3 times". @kind: the name
 * of its kind. Cut to @size bytes, NUL and all. */
void last_exit_text(char *buf, size_t size, const struct bh_ctl_last_exit *r,
		    const char *kind);
/* "CPUID, HLT, port", the newest first, each by @name; returns how many there
 * are, 0: none, and an empty text */
u32 last_exit_kinds_text(char *buf, size_t size,
			 const struct bh_ctl_last_exits *l,
			 const char *(*name)(u32 kind));

#endif
