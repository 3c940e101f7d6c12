/* SPDX-License-Identifier: BSD-2-Clause */
/* See boot/common/mptable.h. Tables are read in place, entries copied out. No
 * state. */
#include "boot/common/mptable.h"

#include "boot/common/facts.h"
#include "include/hw/mptable.h"
#include "lib/string.h"

static const u8 entry_bytes[MP_ENTRY_LAST + 1] = {
	sizeof(struct mp_cpu), 8, sizeof(struct mp_ioapic), 8, 8,
};

static bool sums_to_zero(const void *p, u32 size)
{
	const u8 *b = p;
	u8 sum = 0;

	while (size--)
		sum = (u8)(sum + *b++);
	return sum == 0;
}

const void *mptable_find(const void *area, u64 size)
{
	for (u64 at = 0; at + sizeof(struct mp_floating) <= size; at += 16) {
		const struct mp_floating *f =
			(const void *)((const u8 *)area + at);

		if (!memcmp(f->signature, "_MP_", 4) && f->length == 1 &&
		    sums_to_zero(f, sizeof(*f)))
			return f;
	}
	return NULL;
}

u64 mptable_address(const void *floating)
{
	const struct mp_floating *f = floating;

	return f->features[0] ? 0 : f->table;
}

static void take_cpu(struct boot_info *bi, const void *entry)
{
	struct mp_cpu cpu;

	memcpy(&cpu, entry, sizeof(cpu));
	if (cpu.flags & MP_CPU_ENABLED)
		facts_add_cpu(bi, cpu.apic_id);
}

static void take_ioapic(struct boot_info *bi, const void *entry)
{
	struct mp_ioapic io;

	memcpy(&io, entry, sizeof(io));
	if ((io.flags & MP_IOAPIC_ENABLED) && !bi->mp_ioapic_base)
		bi->mp_ioapic_base = io.address;
}

/* Walk the entries: only check them (@bi is NULL), or take them */
static bool walk(struct boot_info *bi, const struct mp_header *h)
{
	const u8 *at = (const u8 *)(h + 1), *end = (const u8 *)h + h->length;

	for (u32 i = 0; i < h->entry_count; i++) {
		if (at >= end || *at > MP_ENTRY_LAST ||
		    entry_bytes[*at] > end - at)
			return false;
		if (bi && *at == MP_ENTRY_CPU)
			take_cpu(bi, at);
		else if (bi && *at == MP_ENTRY_IOAPIC)
			take_ioapic(bi, at);
		at += entry_bytes[*at];
	}
	return true;
}

bool mptable_take(struct boot_info *bi, const void *table)
{
	const struct mp_header *h = table;

	if (memcmp(h->signature, "PCMP", 4) || h->length < sizeof(*h) ||
	    !sums_to_zero(h, h->length) || !walk(NULL, h))
		return false;
	return walk(bi, h);
}
