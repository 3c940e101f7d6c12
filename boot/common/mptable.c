/* SPDX-License-Identifier: BSD-2-Clause */
/* The MP table (boot/common/mptable.h) */
#include "boot/common/mptable.h"

#include "boot/common/facts.h"
#include "lib/string.h"

#define ENTRY_CPU      0
#define ENTRY_IOAPIC   2
#define ENTRY_LAST     4
#define CPU_ENABLED    0x01
#define IOAPIC_ENABLED 0x01

struct mp_floating {
	char signature[4]; /* "_MP_" */
	u32 table;
	u8 length; /* in 16 bytes */
	u8 revision, checksum, features[5];
};
static_assert(sizeof(struct mp_floating) == 16, "MP 1.4 4.1");

struct mp_header {
	char signature[4]; /* "PCMP" */
	u16 length;
	u8 revision, checksum;
	char oem_id[8], product_id[12];
	u32 oem_table;
	u16 oem_size, entry_count;
	u32 lapic;
	u16 extended_length;
	u8 extended_checksum, reserved;
};
static_assert(sizeof(struct mp_header) == 44, "MP 1.4 4.2");

struct mp_cpu {
	u8 type, apic_id, apic_version, flags;
	u32 signature, features, reserved[2];
};
static_assert(sizeof(struct mp_cpu) == 20, "MP 1.4 4.3.1");

struct mp_ioapic {
	u8 type, id, version, flags;
	u32 address;
};
static_assert(sizeof(struct mp_ioapic) == 8, "MP 1.4 4.3.3");

static const u8 entry_bytes[ENTRY_LAST + 1] = {
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
	if (cpu.flags & CPU_ENABLED)
		facts_add_cpu(bi, cpu.apic_id);
}

static void take_ioapic(struct boot_info *bi, const void *entry)
{
	struct mp_ioapic io;

	memcpy(&io, entry, sizeof(io));
	if ((io.flags & IOAPIC_ENABLED) && !bi->mp_ioapic_base)
		bi->mp_ioapic_base = io.address;
}

/* Walk the entries: only check them (@bi is NULL), or take them */
static bool walk(struct boot_info *bi, const struct mp_header *h)
{
	const u8 *at = (const u8 *)(h + 1), *end = (const u8 *)h + h->length;

	for (u32 i = 0; i < h->entry_count; i++) {
		if (at >= end || *at > ENTRY_LAST ||
		    entry_bytes[*at] > end - at)
			return false;
		if (bi && *at == ENTRY_CPU)
			take_cpu(bi, at);
		else if (bi && *at == ENTRY_IOAPIC)
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
