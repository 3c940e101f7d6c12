/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page ownership: every byte of physical address space has exactly one owner.
 * The owners are a sorted array of disjoint extents, filled from the firmware's
 * memory map. What no extent covers is a device window (OWNER_DEVICE). Owners
 * change at boot and when guests come and go, never on an exit path.
 *
 * Any core, unless a function says not. Those that take owner_lock, a leaf, may
 * be called with any other lock held.
 */
#ifndef MM_OWNER_H
#define MM_OWNER_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

enum owner_kind {
	OWNER_FREE, /* usable RAM that nobody has yet */
	OWNER_HYPERVISOR,
	OWNER_GUEST, /* extent.vm says which */
	/* Runtime services, ACPI, reserved RAM; persistent and special-purpose
	 * memory, which only the privileged guest uses */
	OWNER_FIRMWARE,
	OWNER_DEVICE, /* not RAM */
	OWNER_KEPT,   /* not RAM, and the hypervisor's own: no guest has it */
	OWNER_UNUSABLE,
	OWNER_POOL, /* RAM of dynamic guests; who of them: hv/vm/pool.h */
	/* RAM with the files that the privileged guest is started again from:
	 * the hypervisor alone reads it, and it is that guest's to pay for */
	OWNER_FILES,
	OWNER_KINDS
};

struct extent {
	u64 base;
	u64 size;
	enum owner_kind kind;
	u16 vm;            /* OWNER_GUEST only */
	u32 firmware_type; /* enum boot_mem_type it came from */
};

/*
 * Fills the array from @bi's map. Memory of the loader and of boot services is
 * FREE, so whoever still uses some of it takes it next (modules, the EFI map).
 * Boot CPU, first of mm/; no lock. -ENOSPC, logged: the map has too many
 * ranges.
 */
int __must_check owner_init(const struct boot_info *bi);
/* The loader's tables, stack and data are no longer used: by hostmap_init().
 * Before it owner_take() gives out BOOT_MEM_CONVENTIONAL only. Takes
 * owner_lock. */
void owner_loader_gone(void);
/* Special-purpose memory is free from now on, like any other. Boot CPU, before
 * guests are made; takes owner_lock. */
void owner_use_special(void);
/*
 * Turns [@base, @base + @size), whole pages, from @from to @to; from FREE, it
 * takes memory at a fixed address. @vm is the guest where either is
 * OWNER_GUEST. Takes owner_lock. On an error nothing has changed. -EINVAL: not
 * whole pages, or none. -EBUSY: some of it is not @from's. -ENOSPC: too many
 * extents.
 */
int __must_check owner_change(u64 base, u64 size, enum owner_kind from,
			      enum owner_kind to, u16 vm);
/*
 * Takes @size bytes of FREE memory in one piece of [@min, @max), the highest
 * there is, for @to (and @vm, if that is OWNER_GUEST). *@base is where. @size
 * is whole pages, @align a power of two of a page or more; the content is
 * anything. Page 0 is never given out. Takes owner_lock. On an error nothing
 * has changed. -EINVAL: a wrong @size or @align. -ENOMEM: no such piece.
 * -ENOSPC: too many extents.
 */
int __must_check owner_take(u64 size, u64 align, u64 min, u64 max,
			    enum owner_kind to, u16 vm, hpa_t *base);
/*
 * The pages of [@base, @base + @size), device registers, are the hypervisor's
 * own from now on. They may be kept already. Boot CPU, before guests are made;
 * takes owner_lock. On an error nothing has changed. -EINVAL: no bytes, or
 * beyond 52 bits. -EBUSY: there is RAM. -ENOSPC: too many extents.
 */
int __must_check owner_keep_device(u64 base, u64 size);
/* A copy of the extent that covers @hpa. Where none does, it is one of
 * OWNER_DEVICE that fills the gap, up to 52 bits. Takes owner_lock. */
struct extent owner_find(hpa_t hpa);
/* The extents in address order, 0 <= @i < owner_count(), else NULL. No lock:
 * for callers that know that no owner changes meanwhile. */
u32 owner_count(void);
const struct extent *owner_at(u32 i);
/* Bytes that @kind has, and of OWNER_GUEST those of @vm. Takes owner_lock. */
u64 owner_bytes(enum owner_kind kind, u16 vm);
/* How often an owner has changed. Takes owner_lock. */
u64 owner_changes(void);

#endif
