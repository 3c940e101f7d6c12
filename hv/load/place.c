/* SPDX-License-Identifier: BSD-2-Clause */
/* Room in a guest's RAM for the parts of its image; see place.h. No locks. */
#include "hv/load/place.h"

#include "hv/load/acpi_area.h"
#include "hv/load/load.h"
#include "hv/load/staged.h"
#include "lib/errno.h"
#include "mm/owner.h"

#define LOW_MEMORY_BYTES MIB(1)

/* Piece @i of the guest's RAM: a slot. The privileged guest's slots also hold
 * memory of the firmware's, so its pieces are the extents that it owns. False:
 * @i is past the last one. */
static bool piece_at(const struct vm *vm, u32 i, struct place_range *piece)
{
	const struct extent *e;

	*piece = (struct place_range){ 0, 0 };
	if (!vm->privileged) {
		if (i >= vm->slot_count)
			return false;
		if (!vm->slots[i].rom) {
			piece->base = vm->slots[i].gpa;
			piece->size = vm->slots[i].size;
		}
		return true;
	}
	if (i >= owner_count())
		return false;
	e = owner_at(i);
	if (e->kind == OWNER_GUEST && e->vm == vm->id)
		*piece = (struct place_range){ e->base, e->size };
	return true;
}

/* The run of adjacent pieces that begins at *@i, which moves behind it. An
 * empty piece is a run of size 0. False: *@i is past the last one. */
static bool next_run(const struct vm *vm, u32 *i, struct place_range *run)
{
	struct place_range more;

	if (!piece_at(vm, *i, run))
		return false;
	for (++*i; run->size && piece_at(vm, *i, &more); ++*i) {
		if (!more.size || more.base != run->base + run->size)
			break;
		run->size += more.size;
	}
	return true;
}

static bool is_ram(const struct vm *vm, u64 base, u64 size)
{
	struct place_range run;
	u32 i = 0;

	while (next_run(vm, &i, &run))
		if (base >= run.base && base - run.base < run.size)
			return size <= run.size - (base - run.base);
	return false;
}

static const struct place_range *overlap(const struct place *p, u64 base,
					 u64 size)
{
	for (u32 i = 0; i < p->count; i++) {
		const struct place_range *t = &p->taken[i];

		if (base < t->base + t->size && t->base < base + size)
			return t;
	}
	return NULL;
}

static int take(struct place *p, u64 base, u64 size)
{
	if (p->count == PLACE_MAX)
		return -ENOSPC;
	p->taken[p->count++] = (struct place_range){ base, size };
	return 0;
}

int place_at(struct place *p, u64 base, u64 size)
{
	if (!is_ram(p->vm, base, size))
		return -EFAULT;
	if (overlap(p, base, size))
		return -EBUSY;
	return take(p, base, size);
}

bool place_has(const struct place *p, const struct image *image)
{
	return (p->vm->privileged || p->vm->staged) && image->hpa &&
	       is_ram(p->vm, image->hpa, image->size);
}

/* Files lie in its own RAM while the guest is loaded, if it is the privileged
 * one or a dynamic one */
static void keep_file(struct place *p, const char *name)
{
	struct image image;

	if (!staged_find(p->vm, name, &image) && image.size &&
	    place_has(p, &image))
		(void)take(p, image.hpa, ALIGN_UP(image.size, PAGE_SIZE));
}

void place_init(struct place *p, const struct vm *vm)
{
	p->vm = vm;
	p->count = 1;
	p->taken[0] = (struct place_range){ 0, LOW_MEMORY_BYTES };
	if (vm->acpi_rsdp >= LOW_MEMORY_BYTES)
		(void)take(p, vm->acpi_rsdp, acpi_area_bytes(vm));
	for (u32 i = 0; vm->staged && i < vm->staged->count; i++)
		keep_file(p, vm->staged->files[i].name);
	if (!vm->privileged)
		return;
	keep_file(p, vm->config->kernel);
	keep_file(p, vm->config->initrd);
}

void place_open_low(struct place *p, u64 begin, u64 end)
{
	p->taken[0].size = begin;
	(void)take(p, end, LOW_MEMORY_BYTES - end);
}

/* The part of @run inside @within; size 0 when they do not meet */
static struct place_range clip(struct place_range run,
			       const struct place_range *within)
{
	u64 base = MAX(run.base, within->base);
	u64 end = MIN(run.base + run.size, within->base + within->size);

	return (struct place_range){ base, end > base ? end - base : 0 };
}

static bool fit_low(const struct place *p, struct place_range run, u64 size,
		    u64 align, u64 *gpa)
{
	u64 at = ALIGN_UP(run.base, align);
	const struct place_range *t;

	while (at - run.base <= run.size &&
	       size <= run.size - (at - run.base)) {
		t = overlap(p, at, size);
		if (!t) {
			*gpa = at;
			return true;
		}
		at = ALIGN_UP(t->base + t->size, align);
	}
	return false;
}

static bool fit_high(const struct place *p, struct place_range run, u64 size,
		     u64 align, u64 *gpa)
{
	u64 end = run.base + run.size;
	const struct place_range *t;
	u64 at;

	while (end >= run.base && size <= end - run.base) {
		at = ALIGN_DOWN(end - size, align);
		if (at < run.base)
			return false;
		t = overlap(p, at, size);
		if (!t) {
			*gpa = at;
			return true;
		}
		end = t->base;
	}
	return false;
}

int place_low(struct place *p, u64 size, u64 align,
	      const struct place_range *within, u64 *gpa)
{
	struct place_range run;
	u32 i = 0;

	while (next_run(p->vm, &i, &run)) {
		run = clip(run, within);
		if (run.size && fit_low(p, run, size, align, gpa))
			return take(p, *gpa, size);
	}
	return -ENOMEM;
}

int place_high(struct place *p, u64 size, u64 align,
	       const struct place_range *within, u64 *gpa)
{
	struct place_range run;
	bool found = false;
	u32 i = 0;

	while (next_run(p->vm, &i, &run)) {
		run = clip(run, within);
		if (run.size && fit_high(p, run, size, align, gpa))
			found = true; /* runs ascend: the last one wins */
	}
	return found ? take(p, *gpa, size) : -ENOMEM;
}
