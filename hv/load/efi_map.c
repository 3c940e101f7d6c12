/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rewrites the firmware's EFI memory map for the privileged guest. Each
 * descriptor is cut where ownership changes. Memory of the guest keeps its
 * type, but loader memory becomes conventional. Firmware memory stays;
 * everything else becomes reserved. The guest's ACPI area and boot area get
 * types that keep the kernel's decompressor off them. Called by bzimage.c at
 * boot only; no locks.
 */
#include "hv/load/efi_map.h"

#include "hv/core/gmem.h"
#include "hv/load/acpi_area.h"
#include "hv/load/load.h"
#include "lib/errno.h"
#include "mm/owner.h"

/* Cuts are made at extents' ends, and twice around the two areas */
#define EXTRA_DESCRIPTORS 8u

struct writer {
	struct vm *vm;
	u64 gpa;
	u64 stride, room, used; /* bytes */
	struct place_range areas[2];
	u32 area_types[2];
	int err;
};

static bool started_by_efi(const struct boot_info *bi)
{
	return bi && files_efi_map() &&
	       bi->efi.descriptor_size >= sizeof(struct efi_descriptor);
}

u64 efi_map_bytes(void)
{
	const struct boot_info *bi = files_boot_info();
	u64 count;

	if (!started_by_efi(bi))
		return 0;
	count = bi->efi.memory_map_size / bi->efi.descriptor_size;
	count += owner_count() * 2 + EXTRA_DESCRIPTORS;
	return count * bi->efi.descriptor_size;
}

static void emit(struct writer *w, struct efi_descriptor d, u64 base, u64 end)
{
	if (base >= end || w->err)
		return;
	if (w->room - w->used < w->stride) {
		w->err = -ENOSPC;
		return;
	}
	d.physical_start = base;
	d.page_count = (end - base) >> PAGE_SHIFT;
	w->err = gmem_write(w->vm, GPA(w->gpa + w->used), &d, sizeof(d));
	w->used += w->stride;
}

/* The type of [base, ..) and, in *end, where it may change */
static u32 type_at(const struct writer *w, u32 type, u64 base, u64 *end)
{
	struct extent e = owner_find(HPA(base));

	*end = MIN(*end, e.base + e.size);
	for (u32 i = 0; i < ARRAY_SIZE(w->areas); i++) {
		const struct place_range *a = &w->areas[i];

		if (base >= a->base && base < a->base + a->size) {
			*end = MIN(*end, a->base + a->size);
			return w->area_types[i];
		}
		if (a->base > base)
			*end = MIN(*end, a->base);
	}
	if (e.kind == OWNER_FIRMWARE || e.kind == OWNER_DEVICE ||
	    e.kind == OWNER_KEPT)
		return type;
	if (e.kind != OWNER_GUEST || e.vm != w->vm->id)
		return BOOT_MEM_RESERVED;
	if (type == BOOT_MEM_LOADER_CODE || type == BOOT_MEM_LOADER_DATA)
		return BOOT_MEM_CONVENTIONAL;
	return type;
}

static void rewrite(struct writer *w, const struct efi_descriptor *d)
{
	u64 base = d->physical_start;
	u64 last = base + (d->page_count << PAGE_SHIFT);

	while (base < last && !w->err) {
		struct efi_descriptor part = *d;
		u64 end = last;

		part.type = type_at(w, d->type, base, &end);
		if (part.type != d->type)
			part.attribute &= ~EFI_MEMORY_RUNTIME;
		if (owner_find(HPA(base)).kind != OWNER_FIRMWARE)
			part.attribute &= ~EFI_MEMORY_SP;
		if (end <= base)
			end = last;
		emit(w, part, base, end);
		base = end;
	}
}

int efi_map_write(struct vm *vm, u64 gpa, const struct place_range *used,
		  u64 *size)
{
	const struct boot_info *bi = files_boot_info();
	const u8 *map = files_efi_map();
	struct writer w = {
		.vm = vm,
		.gpa = gpa,
		.room = *size,
		.areas = { *used, { vm->acpi_rsdp, acpi_area_bytes(vm) } },
		.area_types = { BOOT_MEM_LOADER_DATA, BOOT_MEM_ACPI_RECLAIM },
	};

	*size = 0;
	if (!started_by_efi(bi))
		return -EINVAL;
	w.stride = bi->efi.descriptor_size;
	for (u64 at = 0; at + w.stride <= bi->efi.memory_map_size;
	     at += w.stride)
		rewrite(&w, (const void *)(map + at));
	*size = w.used;
	return w.err;
}
