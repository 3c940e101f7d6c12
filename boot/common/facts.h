/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small things that both loaders find out or put in order. Physical addresses
 * are read through the identity map. Boot core; no locks.
 */
#ifndef BOOT_COMMON_FACTS_H
#define BOOT_COMMON_FACTS_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/* Does the RSDP at physical address @rsdp (0: none) lead to an MADT? Checksums
 * are left to the hypervisor. ACPI 6.4, 5.2.5 *Root System Description Pointer
 * (RSDP)* to 5.2.8 *Extended System Description Table (XSDT)*. */
bool facts_has_madt(u64 rsdp);
/* Adds a core to cpu_apic_ids[], unless it is there or the table is full */
void facts_add_cpu(struct boot_info *bi, u32 apic_id);
/* The APIC id of the core that runs this (SDM 2A CPUID, leaves 0BH and 01H) */
u32 facts_own_apic_id(void);
/* Sorts modules[] by name, so that the order of a directory decides nothing
 * later */
void facts_sort_modules(struct boot_info *bi);
/* A screen as firmware tells of it; masks of a pixel's bits */
struct facts_screen {
	u64 base;
	u32 width, height;
	u32 line_pixels; /* from one line to the next */
	u32 red, green, blue, other;
};
/* Fills @fb from @s. False, and @fb is as it was: the hypervisor cannot draw
 * there. */
bool facts_framebuffer(const struct facts_screen *s,
		       struct boot_framebuffer *fb);
/* Is @name that of a log which the UEFI loader saved (boot/efi/crash.c)? Such a
 * file is no module. */
bool facts_is_crash_file(const char *name);
/* Turns a color's mask in a pixel into *@shift and *@bits; both are 0 for no
 * bits */
void facts_mask_to_field(u32 mask, u8 *shift, u8 *bits);

#endif
