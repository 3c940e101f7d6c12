/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory map a guest is told. An isolated guest has a PC's: RAM below
 * 640 KiB, the BIOS area, RAM from 1 MiB to the PCI hole, ECAM in the hole, RAM
 * above 4 GiB. The privileged guest has the machine's: its own RAM, the
 * firmware's regions with their types, the pool of dynamic guests as soft
 * reserved, and all that belongs to others as reserved. Called by the loaders,
 * once the owners' extents are final.
 */
#include "hv/core/pc_map.h"
#include "hv/load/acpi_area.h"
#include "hv/load/load.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/owner.h"

/* Not to be reclaimed once the tables are read: the FACS stays in use (ACPI
 * 6.4, 5.2.10) */
#define ACPI_AREA_TYPE E820_NVS

/* What the map has besides slots or extents: the pieces of the first megabyte,
 * ECAM, the ACPI area and what it cuts off */
#define EXTRA_ENTRIES 8u

struct map {
	struct e820_entry *out;
	u32 count, max;
	bool full;
	u32 acpi_bytes; /* of the ACPI area */
};

static void add(struct map *m, u64 base, u64 end, u32 type)
{
	struct e820_entry *last = m->count ? &m->out[m->count - 1] : NULL;

	if (base >= end)
		return;
	if (last && last->type == type && last->base + last->size == base) {
		last->size += end - base;
		return;
	}
	if (m->count == m->max) {
		m->full = true;
		return;
	}
	m->out[m->count++] = (struct e820_entry){ base, end - base, type };
}

/* Add [base, end), of which the ACPI area may be a part */
static void add_around_acpi(struct map *m, u64 rsdp, u64 base, u64 end,
			    u32 type)
{
	u64 area_end = rsdp + m->acpi_bytes;

	if (!rsdp || rsdp < base || rsdp >= end) {
		add(m, base, end, type);
		return;
	}
	add(m, base, rsdp, type);
	add(m, rsdp, MIN(area_end, end), ACPI_AREA_TYPE);
	add(m, area_end, end, type);
}

/* The first megabyte of a slot that begins there */
static void add_first_megabyte(struct map *m, u64 rsdp, u64 end)
{
	add(m, 0, MIN(end, PC_EBDA_BASE), E820_RAM);
	add(m, PC_EBDA_BASE, PC_VGA_BASE, E820_RESERVED);
	add_around_acpi(m, rsdp, PC_BIOS_AREA, PC_BIOS_AREA_END, E820_RESERVED);
}

/* Slots are RAM, but for the hole in the first megabyte. ECAM comes before the
 * first slot that is above it. */
static void build_isolated(struct vm *vm, struct map *m)
{
	bool ecam = false;

	for (u32 i = 0; i < vm->slot_count; i++) {
		u64 base = vm->slots[i].gpa;
		u64 end = base + vm->slots[i].size;

		if (vm->slots[i].rom)
			continue;
		if (base >= PC_HIGH_RAM_BASE && !ecam) {
			add(m, PC_ECAM_BASE, PC_ECAM_BASE + PC_ECAM_BYTES,
			    E820_RESERVED);
			ecam = true;
		}
		if (!base)
			add_first_megabyte(m, vm->acpi_rsdp, end);
		add(m, MAX(base, PC_BIOS_AREA_END), end, E820_RAM);
	}
	if (!ecam)
		add(m, PC_ECAM_BASE, PC_ECAM_BASE + PC_ECAM_BYTES,
		    E820_RESERVED);
}

static u32 firmware_type(u32 type)
{
	switch (type) {
	case BOOT_MEM_ACPI_RECLAIM:
		return E820_ACPI;
	case BOOT_MEM_ACPI_NVS:
		return E820_NVS;
	case BOOT_MEM_UNUSABLE:
		return E820_UNUSABLE;
	case BOOT_MEM_PERSISTENT:
		return E820_PERSISTENT;
	case BOOT_MEM_SPECIAL:
		return E820_SOFT_RESERVED;
	default:
		return E820_RESERVED;
	}
}

static u32 extent_type(const struct vm *vm, const struct extent *e)
{
	switch (e->kind) {
	case OWNER_GUEST:
		return e->vm == vm->id ? E820_RAM : E820_RESERVED;
	case OWNER_FIRMWARE:
		return firmware_type(e->firmware_type);
	case OWNER_UNUSABLE:
		return E820_UNUSABLE;
	case OWNER_POOL:
		return E820_SOFT_RESERVED;
	default:
		return E820_RESERVED;
	}
}

static void build_privileged(struct vm *vm, struct map *m)
{
	for (u32 i = 0; i < owner_count(); i++) {
		const struct extent *e = owner_at(i);

		add_around_acpi(m, vm->acpi_rsdp, e->base, e->base + e->size,
				extent_type(vm, e));
	}
}

u32 e820_build(struct vm *vm, struct e820_entry *out, u32 max)
{
	struct map m = { .out = out,
			 .max = max,
			 .acpi_bytes = acpi_area_bytes(vm) };

	if (vm->privileged)
		build_privileged(vm, &m);
	else
		build_isolated(vm, &m);
	if (m.full)
		log_warn("load",
			 "guest %s: the memory map has more than %u entries; "
			 "the guest does not see the memory behind them",
			 vm->name, max);
	return m.count;
}

u32 e820_max(const struct vm *vm)
{
	return EXTRA_ENTRIES +
	       (vm->privileged ? owner_count() : vm->slot_count);
}

int e820_make(struct vm *vm, struct e820_map *map)
{
	map->max = e820_max(vm);
	map->entries =
		kmem_alloc(&vm->budget, map->max * sizeof(map->entries[0]));
	if (!map->entries)
		return -ENOMEM;
	map->count = e820_build(vm, map->entries, map->max);
	return 0;
}

void e820_free(struct vm *vm, struct e820_map *map)
{
	kmem_free(&vm->budget, map->entries,
		  map->max * sizeof(map->entries[0]));
	map->entries = NULL;
}
