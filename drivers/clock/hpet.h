/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's HPETs. The hypervisor reads a counter at most. But a comparator
 * may send any message to any core (IA-PC HPET 1.0a, 2.3.9 *Timer N FSB
 * Interrupt Route Register*), so no guest may write to one. Drivers of the
 * privileged guest that find one by the DSDT may read it, and its counter runs.
 */
#ifndef DRIVERS_CLOCK_HPET_H
#define DRIVERS_CLOCK_HPET_H

#include "lib/types.h"

struct ref_clock; /* arch/x86/machine/tsc_clock.h */

/*
 * Finds the HPETs by their ACPI tables, turns all their interrupts off, and
 * lets the counter run. Their pages are nobody else's from now on. So are the
 * four from FED00000h on, where chipsets put one that is switched on or moved
 * later. Boot CPU, once, after acpi_init().
 */
void hpet_init(void);
/* The counter of the first, to measure the TSC by; NULL: there is none whose
 * period can be. Boot CPU, after hpet_init(). */
const struct ref_clock *hpet_clock(void);
/* How many there are, and where the registers of the @i'th begin. Any core. */
u32 hpet_count(void);
u64 hpet_base(u32 i);
/* An aligned read of @size bytes, 4 or 8, of the @i'th; all others, and those
 * past its registers, are ones. Any core; no lock. */
u64 hpet_read(u32 i, u64 offset, u8 size);

#endif
