/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dynamic guest's slots and table, see shape.h. From the lower end of what
 * was no RAM, or is none now, all is unmapped, and mapped again as far as it is
 * RAM. So it does not matter how far an earlier start has come.
 *
 * Slots are written while nobody looks at them. Lock: npt_lock for the table,
 * which an audit reads. What TLBs have of the last life is dropped by each vCPU
 * before it enters.
 */
#include "hv/vm/shape.h"

#include "hv/core/pc_map.h"
#include "hv/core/vcpu.h"
#include "hv/load/load.h"
#include "hv/vm/dynamic_priv.h"
#include "hv/vm/memory.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"

/* Where a ROM may be, and the ranges that one is in at most: it begins anywhere
 * in a unit */
#define ROM_BASE   (PC_ROM_END - PC_FIRMWARE_MAX)
#define ROM_RANGES (u32)(PC_FIRMWARE_MAX / PAGE_2M + 1)
#define ROM_PAGES  (1u + PC_FIRMWARE_MAX / PAGE_2M)
/* Changed in a step where each 2 MiB may have been split (hv/core/split.h) */
#define SPLIT_SPAN MIB(16)
/* Of ROM, which lies at any page and so is as many leaves */
#define ROM_SPAN PAGE_2M

/* A part of the guest's memory that is in a row for it and for the host */
struct part {
	u64 gpa, hpa, size;
};

/* Part @i; ranges are cut at the PCI hole. False: @i is past the last. */
static bool part_at(const struct vm *vm, u32 i, struct part *p)
{
	const struct bh_ctl_range *r;
	u32 count = dynamic_ranges(vm, &r), n = 0;
	u64 offset = 0;

	for (; count--; offset += r++->size) {
		u64 end = offset + r->size;
		bool cut = offset < PC_LOW_RAM_END && end > PC_LOW_RAM_END;
		u64 low = cut ? PC_LOW_RAM_END - offset : r->size;

		*p = (struct part){ staged_gpa(offset), r->base, low };
		if (n++ == i)
			return true;
		*p = (struct part){ PC_HIGH_RAM_BASE, r->base + low,
				    r->size - low };
		if (cut && n++ == i)
			return true;
	}
	return false;
}

/* Behind the others. Those from @first on are one with it, where it goes on. */
static void slot_put(struct vm *vm, u32 *count, u32 first,
		     const struct vm_slot *s)
{
	struct vm_slot *last = *count > first ? &vm->slots[*count - 1] : NULL;

	if (last && last->gpa + last->size == s->gpa &&
	    last->hpa + last->size == s->hpa) {
		last->size += s->size;
		return;
	}
	ASSERT(*count < vm->slot_max);
	vm->slots[(*count)++] = *s;
}

/* What lies in [@from, @to), but as->gpa higher, and as @as says a ROM */
static void slots_put(struct vm *vm, u32 *count, u64 from, u64 to,
		      const struct vm_slot *as)
{
	u32 first = *count;
	struct part p;

	for (u32 i = 0; part_at(vm, i, &p); i++) {
		u64 base = MAX(p.gpa, from), end = MIN(p.gpa + p.size, to);
		const struct vm_slot s = { .gpa = as->gpa + base,
					   .hpa = p.hpa + (base - p.gpa),
					   .size = end - base,
					   .rom = as->rom };

		if (base < end)
			slot_put(vm, count, first, &s);
	}
}

/* RAM up to @ram_end, what is kept from there on, and @rom of it */
static void build(struct vm *vm, u64 ram_end, const struct image *rom)
{
	static const struct vm_slot plain = { .gpa = 0 };
	u32 count = 0;

	slots_put(vm, &count, 0, MIN(ram_end, PC_LOW_RAM_END), &plain);
	if (rom) {
		const struct vm_slot up = {
			.gpa = PC_ROM_END - rom->size - rom->hpa, .rom = true
		};

		slots_put(vm, &count, rom->hpa, rom->hpa + rom->size, &up);
	}
	slots_put(vm, &count, PC_HIGH_RAM_BASE, ram_end, &plain);
	vm->slot_count = count;
	slots_put(vm, &count, ram_end, ~0ull, &plain);
	vm->kept_count = count - vm->slot_count;
}

static bool keeps_files(const struct guest_config *config)
{
	const char *name, *key;

	for (u32 i = 0; manifest_file(config, i, &name, &key); i++)
		if (name[0] && staged_stays(config, name))
			return true;
	return false;
}

u32 shape_slots(const struct guest_config *config, u32 ranges)
{
	u32 slots = ranges + 1;

	if (keeps_files(config))
		slots++;
	return slots + (firmware_name(config) ? MIN(ranges, ROM_RANGES) : 0);
}

/* Each start may cut another leaf of 1 GiB, and no table goes back */
u64 shape_pages(const struct guest_config *config)
{
	u64 cuts = ALIGN_UP(config->memory_bytes, PAGE_1G) / PAGE_1G;

	return (keeps_files(config) ? cuts : 0) +
	       (firmware_name(config) ? ROM_PAGES : 0);
}

void shape_plain(struct vm *vm)
{
	vm->dynamic->ram_end = STAGED_ALL_RAM;
	build(vm, STAGED_ALL_RAM, NULL);
}

void shape_begin(struct vm *vm)
{
	vm->dynamic->shape = SHAPE_OLD;
}

/* --- the table; lock held --- */

/* The part that has @gpa, from there on, or the next one. Size 0: none. */
static struct part part_from(const struct vm *vm, u64 gpa)
{
	struct part p;

	for (u32 i = 0; part_at(vm, i, &p); i++) {
		u64 skip = MAX(gpa, p.gpa) - p.gpa;

		if (skip < p.size)
			return (struct part){ p.gpa + skip, p.hpa + skip,
					      p.size - skip };
	}
	return (struct part){ .gpa = gpa };
}

static u64 span_from(const struct vm *vm, u64 gpa)
{
	if (vm->npt.split_exec)
		return MIN(SPLIT_SPAN - gpa % SPLIT_SPAN, vm_map_span(gpa));
	return vm_map_span(gpa);
}

/* A span from d->at on, which moves behind it; 0: it was the last */
static int remap_some(struct vm *vm, u64 ram_end)
{
	struct dynamic *d = vm->dynamic;
	struct part p = part_from(vm, d->at);
	bool ram = p.gpa < ram_end;
	int err;

	if (!p.size)
		return 0;
	p.size = MIN(p.size, span_from(vm, p.gpa));
	if (ram)
		p.size = MIN(p.size, ram_end - p.gpa);
	err = pt_unmap(&vm->npt, p.gpa, p.size);
	if (!err && ram)
		err = pt_map(&vm->npt, p.gpa, HPA(p.hpa), p.size, VM_RAM_ATTRS);
	d->at = p.gpa + p.size;
	return err ? err : VM_GOES_ON;
}

/* A span of ROM from d->at on, which moves behind it; 0: it was the last */
static int map_rom(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	u64 from = d->at, to = from + ROM_SPAN;
	int err = 0;

	for (u32 i = 0; i < vm->slot_count && !err; i++) {
		const struct vm_slot *s = &vm->slots[i];
		u64 base = MAX(s->gpa, from), end = MIN(s->gpa + s->size, to);

		if (s->rom && base < end)
			err = pt_map(&vm->npt, base,
				     HPA(s->hpa + (base - s->gpa)), end - base,
				     VM_ROM_ATTRS);
	}
	d->at = to;
	if (err || to < PC_ROM_END)
		return err ? err : VM_GOES_ON;
	d->shape = SHAPE_NEW;
	return 0;
}

static int unmap_rom(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	int err = pt_unmap(&vm->npt, d->at, ROM_SPAN);

	d->at += ROM_SPAN;
	if (d->at >= PC_ROM_END) {
		d->at = d->ram_end;
		d->shape = SHAPE_BETWEEN;
	}
	return err ? err : VM_GOES_ON;
}

/* What was looked up in the old shape is nothing in the new one */
static void forget(struct vcpu *v)
{
	v->slot_hint = 0;
	v->code.page = ~0ull;
	__atomic_fetch_or(&v->events, (u32)VE_FLUSH, __ATOMIC_SEQ_CST);
}

static int finish(struct vm *vm, u64 ram_end)
{
	struct dynamic *d = vm->dynamic;
	struct image rom;
	bool has_rom = firmware_rom(vm, &rom);

	build(vm, ram_end, has_rom ? &rom : NULL);
	for (u32 i = 0; i < vm->vcpu_count; i++)
		forget(vm->vcpus[i]);
	d->ram_end = ram_end;
	d->at = ROM_BASE;
	d->shape = has_rom ? SHAPE_ROM : SHAPE_NEW;
	return has_rom ? VM_GOES_ON : 0;
}

static int step(struct vm *vm, u64 ram_end)
{
	struct dynamic *d = vm->dynamic;
	int err;

	switch (d->shape) {
	case SHAPE_OLD:
		d->ram_end = MIN(d->ram_end, ram_end);
		d->at = ROM_BASE;
		d->shape = SHAPE_NO_ROM;
		return unmap_rom(vm);
	case SHAPE_NO_ROM:
		return unmap_rom(vm);
	case SHAPE_BETWEEN:
		err = remap_some(vm, ram_end);
		return err ? err : finish(vm, ram_end);
	default:
		return map_rom(vm);
	}
}

int shape_step(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	u64 ram_end = d->staged.ram_end;
	int err;

	if (d->shape == SHAPE_NEW ||
	    (ram_end == STAGED_ALL_RAM && d->ram_end == STAGED_ALL_RAM))
		return 0;
	spin_lock(&vm->npt_lock);
	err = step(vm, ram_end);
	spin_unlock(&vm->npt_lock);
	if (err < 0)
		log_error("vm",
			  "guest %s: no memory for its page tables; destroy "
			  "another guest",
			  vm->name);
	return err;
}
