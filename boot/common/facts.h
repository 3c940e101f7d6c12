/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small things both loaders find out or put in order. Physical addresses are
 * read through the identity map. One core, no locks.
 */
#ifndef BOOT_COMMON_FACTS_H
#define BOOT_COMMON_FACTS_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/* The RSDP's XSDT or RSDT names an MADT (ACPI 6.4, 5.2.5 to 5.2.8) */
bool facts_has_madt(u64 rsdp);
/* Add a core to cpu_apic_ids[] unless it is there; cores beyond the table are
 * left out */
void facts_add_cpu(struct boot_info *bi, u32 apic_id);
/* The APIC id of the core that runs this (SDM 2A CPUID 0BH, 01H) */
u32 facts_own_apic_id(void);
/* Sort modules[] by name: no order of a directory decides anything later */
void facts_sort_modules(struct boot_info *bi);
/* Take a colour's place in a pixel from its mask */
void facts_mask_to_field(u32 mask, u8 *shift, u8 *bits);

#endif
