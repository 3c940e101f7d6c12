/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel's files of microcode updates (ucode.h, include/hw/microcode.h). No
 * state, no lock. */
#include "arch/x86/machine/ucode.h"

#include "include/hw/microcode.h"

#define HEADER_VERSION  1u
#define LOADER_REVISION 1u

static u32 sum_words(const void *data, u64 bytes)
{
	const u32 *word = data;
	u32 sum = 0;

	for (u64 i = 0; i < bytes / sizeof(*word); i++)
		sum += word[i];
	return sum;
}

static u64 data_bytes(const struct ucode_intel_header *h)
{
	return h->data_bytes ? h->data_bytes : UCODE_INTEL_OLD_DATA;
}

static u64 total_bytes(const struct ucode_intel_header *h)
{
	return h->data_bytes ? h->total_bytes : UCODE_INTEL_OLD_TOTAL;
}

/* The table behind the data, and *@bytes of it; 0: there is none */
static const struct ucode_intel_table *
signature_table(const struct ucode_intel_header *h, u64 *bytes)
{
	*bytes = total_bytes(h) - sizeof(*h) - data_bytes(h);
	return (const void *)((const u8 *)(h + 1) + data_bytes(h));
}

static const char *sizes_check(const struct ucode_intel_header *h, u64 left)
{
	if (total_bytes(h) > left)
		return "is cut short";
	if (total_bytes(h) % UCODE_INTEL_UNIT || data_bytes(h) % sizeof(u32) ||
	    sizeof(*h) + data_bytes(h) > total_bytes(h))
		return "has an update of a wrong size";
	return NULL;
}

/* A signature stands for the header with it in the place of its own */
static bool signature_sums(const struct ucode_intel_header *h,
			   const struct ucode_intel_signature *s)
{
	return s->signature + s->flags + s->checksum ==
	       h->signature + h->flags + h->checksum;
}

static const char *table_check(const struct ucode_intel_header *h)
{
	u64 bytes;
	const struct ucode_intel_table *t = signature_table(h, &bytes);

	if (!bytes)
		return NULL;
	if (bytes < sizeof(*t) ||
	    bytes - sizeof(*t) != (u64)t->count * sizeof(t->signatures[0]))
		return "has a signature table of a wrong size";
	if (sum_words(t, bytes))
		return "has a signature table with a wrong checksum";
	for (u32 i = 0; i < t->count; i++)
		if (!signature_sums(h, &t->signatures[i]))
			return "has a signature with a wrong checksum";
	return NULL;
}

static const char *update_check(const struct ucode_intel_header *h, u64 left)
{
	const char *why;

	if (left < sizeof(*h))
		return "is cut short";
	if (h->header_version != HEADER_VERSION ||
	    h->loader_revision != LOADER_REVISION)
		return "has an update of an unknown format";
	why = sizes_check(h, left);
	if (why)
		return why;
	if (sum_words(h, total_bytes(h)))
		return "has an update with a wrong checksum";
	return table_check(h);
}

/* An update without flags is for CPUs without platform ids */
static bool matches(const struct ucode_cpu *cpu, u32 signature, u32 flags)
{
	return cpu->signature == signature &&
	       (flags & cpu->flags || flags == cpu->flags);
}

static bool is_for(const struct ucode_cpu *cpu,
		   const struct ucode_intel_header *h)
{
	u64 bytes;
	const struct ucode_intel_table *t = signature_table(h, &bytes);

	if (matches(cpu, h->signature, h->flags))
		return true;
	for (u32 i = 0; bytes && i < t->count; i++)
		if (matches(cpu, t->signatures[i].signature,
			    t->signatures[i].flags))
			return true;
	return false;
}

const char *ucode_intel_find(const void *file, u64 size,
			     const struct ucode_cpu *cpu,
			     struct ucode_update *best)
{
	u32 revision = cpu->revision;
	const u8 *at = file;

	*best = (struct ucode_update){ .data = NULL };
	while (size) {
		const struct ucode_intel_header *h = (const void *)at;
		const char *why = update_check(h, size);

		if (why) {
			*best = (struct ucode_update){ .data = NULL };
			return why;
		}
		if (is_for(cpu, h) && (s32)h->revision > (s32)revision) {
			revision = h->revision;
			*best = (struct ucode_update){ h, (u32)total_bytes(h),
						       revision };
		}
		at += total_bytes(h);
		size -= total_bytes(h);
	}
	return NULL;
}
