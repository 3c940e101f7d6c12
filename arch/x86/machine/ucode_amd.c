/* SPDX-License-Identifier: BSD-2-Clause */
/* AMD's files of microcode patches (ucode.h, include/hw/microcode.h). No state,
 * no lock. */
#include "arch/x86/machine/ucode.h"

#include "include/hw/microcode.h"
#include "lib/string.h"

/* What is left of the file; its words are aligned to 4 bytes at the least */
struct rest {
	const u8 *at;
	u64 left;
};

struct search {
	const struct ucode_cpu *cpu;
	struct ucode_update *best;
	u16 id; /* of the CPU, by this container's table; 0: it has none */
};

static const void *take(struct rest *r, u64 bytes)
{
	const u8 *at = r->at;

	if (bytes > r->left)
		return NULL;
	r->at += bytes;
	r->left -= bytes;
	return at;
}

/* The next section's header, by value, and its data; NULL: cut short */
static const void *take_section(struct rest *r, struct ucode_amd_section *head)
{
	const void *at = take(r, sizeof(*head));

	if (!at)
		return NULL;
	memcpy(head, at, sizeof(*head));
	return take(r, head->bytes);
}

/* Families 10h to 14h take no more; the later ones say it in the section */
static u64 patch_limit(u32 signature)
{
	u32 family = signature >> 8 & 0xf;

	if (family == 0xf)
		family += signature >> 20 & 0xff;
	if (family == 0x14)
		return 1824;
	return family < 0x15 ? 2048 : UINT32_MAX;
}

static u16 find_id(const void *table, u32 bytes, u32 signature)
{
	struct ucode_amd_equivalence row;

	for (u32 at = 0; bytes - at >= sizeof(row); at += sizeof(row)) {
		memcpy(&row, (const u8 *)table + at, sizeof(row));
		if (!row.signature)
			break;
		if (row.signature == signature)
			return row.id;
	}
	return 0;
}

static const char *take_patch(struct search *s, const void *at, u32 bytes)
{
	struct ucode_amd_patch p;
	u32 now = s->best->data ? s->best->revision : s->cpu->revision;

	if (bytes < sizeof(p))
		return "has a patch of a wrong size";
	memcpy(&p, at, sizeof(p));
	/* A patch of a chipset is for none that this code could recognize */
	if (!s->id || p.processor_id != s->id || p.north_bridge ||
	    p.south_bridge || p.revision <= now)
		return NULL;
	if (bytes > patch_limit(s->cpu->signature))
		return "has a patch that is too large for this CPU";
	*s->best = (struct ucode_update){ at, bytes, p.revision };
	return NULL;
}

static bool at_container(const struct rest *r)
{
	u32 magic;

	if (r->left < sizeof(magic))
		return false;
	memcpy(&magic, r->at, sizeof(magic));
	return magic == UCODE_AMD_MAGIC;
}

/* One container: the table, then patches to the next container or the end */
static const char *take_container(struct search *s, struct rest *r)
{
	struct ucode_amd_section head;
	const char *why = NULL;
	const void *data;

	(void)take(r, sizeof(u32)); /* the magic */
	data = take_section(r, &head);
	if (!data)
		return "is cut short";
	if (head.type != UCODE_AMD_EQUIVALENCES ||
	    head.bytes % sizeof(struct ucode_amd_equivalence))
		return "has no table of processors";
	s->id = find_id(data, head.bytes, s->cpu->signature);
	while (r->left && !at_container(r) && !why) {
		data = take_section(r, &head);
		if (!data)
			return "is cut short";
		if (head.type != UCODE_AMD_PATCH)
			return "has a section of an unknown type";
		why = take_patch(s, data, head.bytes);
	}
	return why;
}

const char *ucode_amd_find(const void *file, u64 size,
			   const struct ucode_cpu *cpu,
			   struct ucode_update *best)
{
	struct search s = { .cpu = cpu, .best = best };
	struct rest r = { file, size };
	const char *why = NULL;

	*best = (struct ucode_update){ .data = NULL };
	while (r.left && !why)
		why = at_container(&r) ? take_container(&s, &r)
				       : "is no container of microcode";
	if (why)
		*best = (struct ucode_update){ .data = NULL };
	return why;
}
