/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MP table of machines without ACPI (MultiProcessor Specification 1.4,
 * chapter 4): cores and the first IOAPIC. Firmware wrote it, so checksums and
 * lengths are checked. Called by the multiboot2 loader; one core, no locks.
 */
#ifndef BOOT_COMMON_MPTABLE_H
#define BOOT_COMMON_MPTABLE_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/* The floating pointer structure inside @size bytes at @area, a multiple of
 * 16 bytes; NULL when there is none (MP 1.4, 4.1) */
const void *mptable_find(const void *area, u64 size);
/* Physical address of the configuration table a floating pointer names; 0 when
 * it names none (a default configuration of MP 1.4, 5) */
u64 mptable_address(const void *floating);
/* Take cores and IOAPIC of a configuration table (MP 1.4, 4.2 and 4.3) into
 * @bi; false, and @bi as it was, when the table is damaged */
bool mptable_take(struct boot_info *bi, const void *table);

#endif
