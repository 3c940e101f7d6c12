/* SPDX-License-Identifier: BSD-2-Clause */
/* A made-up file of microcode, and what the CPU's vendor finds in it */
#ifndef TESTS_UNIT_UCODE_FILE_H
#define TESTS_UNIT_UCODE_FILE_H

#include "arch/x86/machine/ucode.h"
#include "tests/unit/test.h"

typedef const char *ucode_find_fn(const void *file, u64 size,
				  const struct ucode_cpu *cpu,
				  struct ucode_update *best);

extern union ucode_file {
	u8 bytes[16384];
	u32 words[4096];
} file;
extern u32 used; /* bytes of it */
extern struct ucode_cpu cpu;
extern struct ucode_update best;

/* An empty file for @c, in which @find looks */
void ucode_file_init(ucode_find_fn *find, struct ucode_cpu c);
/* Look for @best; the answer is ucode.h's */
const char *look(void);
/* It is this answer, and there is none */
void refused(const char *why);

#endif
