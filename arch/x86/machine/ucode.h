/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The update for a CPU in a file of microcode, for microcode.c, unit tests and
 * fuzzers. A file is not trusted: everything is checked before it counts, and
 * nothing in a damaged file does. Pure: any context.
 */
#ifndef ARCH_X86_MACHINE_UCODE_H
#define ARCH_X86_MACHINE_UCODE_H

#include "lib/types.h"

/* A CPU as the files name it */
struct ucode_cpu {
	u32 signature; /* CPUID 1:EAX */
	u32 flags;     /* Intel: the bit of its platform id */
	u32 revision;  /* what it runs */
};

struct ucode_update {
	const void *data; /* the header first, as in the file; NULL: none */
	u32 bytes;
	u32 revision;
};

/*
 * Finds the newest update for @cpu in the @size bytes at @file that is newer
 * than what it runs. NULL: the file is whole, and @best has it, or none. Else
 * @best has none, and the answer is the end of a sentence "GenuineIntel.bin
 * ...". @file is aligned to 4 bytes.
 */
const char *ucode_intel_find(const void *file, u64 size,
			     const struct ucode_cpu *cpu,
			     struct ucode_update *best) __must_check;
const char *ucode_amd_find(const void *file, u64 size,
			   const struct ucode_cpu *cpu,
			   struct ucode_update *best) __must_check;

#endif
