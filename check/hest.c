/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which machine-check banks the firmware looks after, by the table HEST; see
 * facts.h. Called by check/acpi.c and drivers/acpi/acpi.c; no lock.
 *
 * They are those of each source of corrected or deferred errors that is
 * FIRMWARE_FIRST: the firmware reads and clears them, and tells of the errors
 * by a generic source. With GHES_ASSIST alone the banks are the operating
 * system's, and the firmware only adds to what it finds there. Machine check
 * exceptions (type 0) are not what a poll takes.
 */
#include "check/facts.h"
#include "include/hw/acpi_hest.h"
#include "lib/string.h"

#define BANKS_MAX 64u /* that a word has bits for */

/* Bytes of an entry without its banks, by type; 0: nobody knows how long it is.
 * @banks: where the number of banks is; 0: it has none. */
static const struct {
	u8 bytes, banks;
} kinds[HEST_LENGTH_TOLD] = {
	[HEST_MACHINE_CHECK] = { sizeof(struct hest_machine_check),
				 offsetof(struct hest_machine_check, banks) },
	[HEST_CORRECTED] = { sizeof(struct hest_corrected),
			     offsetof(struct hest_corrected, banks) },
	[HEST_NMI] = { HEST_NMI_BYTES, 0 },
	[HEST_AER_ROOT_PORT] = { HEST_ROOT_PORT_BYTES, 0 },
	[HEST_AER_DEVICE] = { HEST_DEVICE_BYTES, 0 },
	[HEST_AER_BRIDGE] = { HEST_BRIDGE_BYTES, 0 },
	[HEST_GENERIC] = { HEST_GENERIC_BYTES, 0 },
	[HEST_GENERIC_V2] = { HEST_GENERIC_V2_BYTES, 0 },
	[HEST_DEFERRED] = { sizeof(struct hest_corrected),
			    offsetof(struct hest_corrected, banks) },
};

/* Bytes of the entry at @p, which begins with @e and of which @left are there;
 * 0: it is cut, or of no type that is known */
static u32 entry_bytes(const u8 *p, const struct hest_entry *e, u32 left)
{
	u32 bytes;

	if (e->type >= HEST_LENGTH_TOLD)
		return e->length >= sizeof(*e) && e->length <= left ? e->length
								    : 0;
	bytes = kinds[e->type].bytes;
	if (bytes > left)
		return 0;
	if (kinds[e->type].banks)
		bytes +=
			p[kinds[e->type].banks] * (u32)sizeof(struct hest_bank);
	return bytes <= left ? bytes : 0;
}

static u64 firmware_banks(const u8 *p)
{
	struct hest_corrected source;
	u64 banks = 0;

	memcpy(&source, p, sizeof(source));
	if (!(source.flags & HEST_FIRMWARE_FIRST))
		return 0;
	p += sizeof(source);
	for (u32 i = 0; i < source.banks; i++) {
		u8 number = p[i * sizeof(struct hest_bank)];

		if (number < BANKS_MAX)
			banks |= BIT(number);
	}
	return banks;
}

u32 check_hest(const void *table, u32 size, u64 *banks)
{
	u32 at = sizeof(struct acpi_hest);
	struct acpi_hest hest;

	*banks = 0;
	if (size < sizeof(hest))
		return sizeof(struct acpi_header);
	memcpy(&hest, table, sizeof(hest));
	for (u32 i = 0; i < hest.count; i++) {
		const u8 *p = (const u8 *)table + at;
		struct hest_entry e;
		u32 bytes;

		if (size - at < sizeof(e))
			return at;
		memcpy(&e, p, sizeof(e));
		bytes = entry_bytes(p, &e, size - at);
		if (!bytes)
			return at;
		if (e.type == HEST_CORRECTED || e.type == HEST_DEFERRED)
			*banks |= firmware_banks(p);
		at += bytes;
	}
	return 0;
}
