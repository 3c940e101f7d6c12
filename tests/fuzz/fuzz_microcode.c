/* SOURCES: arch/x86/machine/ucode_intel.c arch/x86/machine/ucode_amd.c lib/cpio.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for files of microcode and the archive around them. The
 * first byte says what the rest is: an archive, or a file of Intel's or AMD's.
 * What is found lies in the input and is newer than what the CPU runs.
 * Checksums are put right in half of Intel's files, because chance does not
 * find them.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/x86/machine/ucode.h"
#include "include/hw/microcode.h"
#include "lib/cpio.h"

enum kind { ARCHIVE, INTEL, INTEL_SEALED, AMD, KINDS };

static u32 sum(const u8 *at, u64 bytes)
{
	u32 total = 0, word;

	for (u64 i = 0; i + 4 <= bytes; i += 4) {
		memcpy(&word, at + i, 4);
		total += word;
	}
	return total;
}

static void seal_table(u8 *at, u64 bytes)
{
	struct ucode_intel_table t;

	if (bytes < sizeof(t))
		return;
	memcpy(&t, at, sizeof(t));
	t.checksum -= sum(at, bytes);
	memcpy(at, &t, sizeof(t));
}

/* Whole updates at the front get sizes and sums that hold, until one does not
 * fit */
static void seal(u8 *at, u64 left)
{
	struct ucode_intel_header h;

	while (left >= UCODE_INTEL_UNIT) {
		memcpy(&h, at, sizeof(h));
		h.header_version = h.loader_revision = 1;
		h.total_bytes = UCODE_INTEL_UNIT * (1 + h.total_bytes % 4);
		if (h.total_bytes > left)
			return;
		h.data_bytes = 4 + h.data_bytes % 256 * 4;
		if (sizeof(h) + h.data_bytes > h.total_bytes)
			h.data_bytes = h.total_bytes - (u32)sizeof(h);
		memcpy(at, &h, sizeof(h));
		seal_table(at + sizeof(h) + h.data_bytes,
			   h.total_bytes - sizeof(h) - h.data_bytes);
		h.checksum -= sum(at, h.total_bytes);
		memcpy(at, &h, sizeof(h));
		at += h.total_bytes;
		left -= h.total_bytes;
	}
}

static void check(const u8 *file, u64 size, const struct ucode_update *u,
		  const char *why)
{
	const u8 *at = u->data;

	if (!at)
		return;
	if (why || at < file || at > file + size ||
	    u->bytes > size - (u64)(at - file))
		abort();
	(void)sum(at, u->bytes);
}

static void parse(enum kind kind, u8 *file, u64 size)
{
	const struct ucode_cpu cpu = { .signature = 0x000806c1,
				       .flags = 1,
				       .revision = 0x10 };
	struct ucode_update found;
	struct cpio_file inner;
	const char *why;

	if (kind == ARCHIVE) {
		if (!cpio_find(file, size, UCODE_PATH_INTEL, &inner))
			(void)sum(inner.data, inner.size);
		return;
	}
	if (kind == INTEL_SEALED)
		seal(file, size);
	why = kind == AMD ? ucode_amd_find(file, size, &cpu, &found)
			  : ucode_intel_find(file, size, &cpu, &found);
	check(file, size, &found, why);
	if (found.data && kind == AMD && found.revision <= cpu.revision)
		abort();
	if (found.data && kind != AMD && (s32)found.revision <= 0x10)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u8 *file;

	if (!size)
		return 0;
	file = malloc(size); /* of its own: ASan sees its end */
	memcpy(file, data + 1, size - 1);
	parse(data[0] % KINDS, file, size - 1);
	free(file);
	return 0;
}
