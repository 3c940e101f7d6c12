/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MP table of machines without ACPI (MultiProcessor Specification 1.4,
 * chapter 4): cores and the first IOAPIC. Firmware wrote it, so checksums and
 * lengths are checked. Called by the multiboot2 loader on the boot core; no
 * locks.
 */
#ifndef BOOT_COMMON_MPTABLE_H
#define BOOT_COMMON_MPTABLE_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/* The floating pointer structure in @size bytes at @area, both multiples of 16;
 * NULL: there is none (MP 1.4, 4.1 *MP Floating Pointer Structure*) */
const void *mptable_find(const void *area, u64 size);
/* Physical address of the configuration table that a floating pointer names; 0:
 * it names none, but a configuration of MP 1.4, 5 *Default Configurations* */
u64 mptable_address(const void *floating);
/* Takes the cores and the first IOAPIC of a configuration table into @bi.
 * False: the table is damaged, and @bi is as it was. MP 1.4, 4.2 *MP
 * Configuration Table Header*, 4.3 *Base MP Configuration Table Entries*. */
bool mptable_take(struct boot_info *bi, const void *table);

#endif
