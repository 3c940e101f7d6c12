/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot before said, for the privileged guest: where that boot did not
 * end in order, its last lines are the ACPI table BHLG, behind the header of 36
 * bytes. A stock Linux shows any table as a file,
 * /sys/firmware/acpi/tables/BHLG, to root alone. Called by acpi_rewrite.c and
 * acpi_build.c, last of all tables, as it takes the room that is left. No
 * locks: that log does not change any more.
 */
#include "hv/load/acpi_tables.h"
#include "lib/log_ring.h"

#define TABLE_ALIGN 8u
/* XSDT and RSDT, with an entry for each table, come behind it */
#define ROOTS_BYTES                                                            \
	(2 * sizeof(struct acpi_header) +                                      \
	 (ACPI_MAX_TABLES + 4) * (sizeof(u64) + sizeof(u32)) + 64)

void acpi_write_log(struct acpi_writer *w)
{
	const struct log_ring_view *log = log_ring_previous();
	u32 at = (u32)ALIGN_UP(w->used, TABLE_ALIGN), room;
	struct acpi_header *h;
	size_t len;

	if (!w->vm->privileged || !log || log->end == LOG_END_ORDERLY ||
	    at + sizeof(*h) + ROOTS_BYTES >= w->bytes)
		return;
	h = acpi_writer_take(w, sizeof(*h), TABLE_ALIGN);
	room = (u32)(w->bytes - ROOTS_BYTES - w->used);
	len = log_ring_copy(log, (char *)(h + 1), room);
	(void)acpi_writer_take(w, (u32)len, 1);
	acpi_writer_add(w, h, "BHLG", 1, (u32)(sizeof(*h) + len));
}
