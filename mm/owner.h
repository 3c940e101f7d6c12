/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page ownership: every byte of physical address space has exactly one owner.
 * A sorted array of disjoint extents, filled from the firmware's memory map;
 * what no extent covers is a device window (OWNER_DEVICE). Changes only under
 * owner_lock (at boot and when guests come and go), never on an exit path.
 */
#ifndef MM_OWNER_H
#define MM_OWNER_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

enum owner_kind {
	OWNER_FREE, /* usable RAM that nobody has yet */
	OWNER_HYPERVISOR,
	OWNER_GUEST,    /* extent.vm says which */
	OWNER_FIRMWARE, /* runtime services, ACPI, reserved RAM */
	OWNER_DEVICE,   /* not RAM */
	OWNER_UNUSABLE,
};

struct extent {
	u64 base;
	u64 size;
	enum owner_kind kind;
	u16 vm;            /* OWNER_GUEST only */
	u32 firmware_type; /* enum boot_mem_type it came from */
};

/* Build from the firmware's map; loader and boot-services memory is FREE, but
 * callers must take what they still use (modules, boot_info) first */
int __must_check owner_init(const struct boot_info *bi);
/* The loader's tables, stack and data are no longer used (hostmap_init() has
 * switched): until then owner_take() gives out BOOT_MEM_CONVENTIONAL only */
void owner_loader_gone(void);
/* Turn [base, base+size) from @from to @to; -EBUSY (nothing changed) unless all
 * of it belongs to @from; -EINVAL if not page aligned; -ENOSPC. @vm is for
 * OWNER_GUEST on either side. To take memory at a fixed address: from FREE. */
int __must_check owner_change(u64 base, u64 size, enum owner_kind from,
			      enum owner_kind to, u16 vm);
/* Find and take @size bytes of FREE memory aligned to @align in
 * [@min, @max), highest address first; -ENOMEM */
int __must_check owner_take(u64 size, u64 align, u64 min, u64 max,
			    enum owner_kind to, u16 vm, hpa_t *base);
/* The extent covering @hpa, or a synthetic OWNER_DEVICE one up to the next */
struct extent owner_find(hpa_t hpa);
/* Iterate in address order: 0 <= i < owner_count() */
u32 owner_count(void);
const struct extent *owner_at(u32 i);
u64 owner_bytes(enum owner_kind kind, u16 vm);

#endif
