/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical IOAPICs (82093AA; SDM 3A 11). RTEs are masked at init. */
#ifndef DRIVERS_IRQ_IOAPIC_H
#define DRIVERS_IRQ_IOAPIC_H

#include "lib/types.h"

/* From acpi facts, else at 0xfec00000 (or boot_info's MP table base) */
int __must_check ioapic_init(u64 mp_base);
u32 ioapic_gsi_count(void);
/* Route @gsi to @vector on @apic_id and leave it masked */
void ioapic_route(u32 gsi, u8 vector, u32 apic_id, bool level, bool active_low);
void ioapic_mask(u32 gsi);
void ioapic_unmask(u32 gsi);
#endif
