/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's memory, filled in pieces; see fill.h. No locks. */
#include "hv/load/fill.h"

#include "hv/core/gmem.h"
#include "hv/core/piece.h"
#include "hv/core/slots.h"
#include "lib/assert.h"
#include "lib/errno.h"

struct fill_part {
	u64 gpa, size;
	const u8 *data; /* NULL: zeros */
	bool rom;       /* it may lie in ROM */
};

#define FILL_PARTS 127u

struct load_fill {
	u32 count;
	u32 next; /* the first part that is not written whole */
	u64 done; /* bytes of it */
	struct fill_part parts[FILL_PARTS];
};
static_assert(sizeof(struct load_fill) <= PAGE_SIZE, "it has a page");

int fill_begin(struct vm *vm)
{
	fill_end(vm);
	vm->fill = pmm_alloc(&vm->budget, 0);
	return vm->fill ? 0 : -ENOMEM;
}

void fill_end(struct vm *vm)
{
	pmm_free(&vm->budget, vm->fill, 0);
	vm->fill = NULL;
}

/* All of [@gpa, @gpa + @size) is RAM, or @rom: RAM or ROM */
static bool is_memory(const struct vm *vm, u64 gpa, u64 size, bool rom)
{
	while (size) {
		const struct vm_slot *s = vm_slot_at(vm, GPA(gpa));
		u64 n;

		if (!s || (s->rom && !rom))
			return false;
		n = MIN(size, s->size - (gpa - s->gpa));
		gpa += n;
		size -= n;
	}
	return true;
}

static int note(struct vm *vm, const struct fill_part *part)
{
	struct load_fill *f = vm->fill;

	if (!part->size)
		return 0;
	if (!is_memory(vm, part->gpa, part->size, part->rom))
		return -EFAULT;
	if (f->count == FILL_PARTS)
		return -ENOSPC;
	f->parts[f->count++] = *part;
	return 0;
}

int fill_copy(struct vm *vm, u64 gpa, const void *data, u64 size)
{
	return note(vm, &(struct fill_part){
				.gpa = gpa, .size = size, .data = data });
}

int fill_copy_rom(struct vm *vm, u64 gpa, const void *data, u64 size)
{
	return note(vm, &(struct fill_part){ .gpa = gpa,
					     .size = size,
					     .data = data,
					     .rom = true });
}

int fill_zero(struct vm *vm, u64 gpa, u64 size)
{
	return note(vm, &(struct fill_part){ .gpa = gpa, .size = size });
}

/* Up to the end of a page of guest memory. It was looked up when it was noted,
 * and slots do not change. */
static void write_page(struct vm *vm, struct load_fill *f)
{
	const struct fill_part *part = &f->parts[f->next];
	gpa_t gpa = GPA(part->gpa + f->done);
	u64 n = MIN(part->size - f->done, PAGE_SIZE - (gpa.v & PAGE_MASK));
	int err;

	if (!part->data)
		err = gmem_zero(vm, gpa, n);
	else if (part->rom)
		err = gmem_write_rom(vm, gpa, part->data + f->done, n);
	else
		err = gmem_write(vm, gpa, part->data + f->done, n);
	ASSERT(!err);
	f->done += n;
	if (f->done < part->size)
		return;
	f->next++;
	f->done = 0;
}

bool fill_step(struct vm *vm)
{
	struct load_fill *f = vm->fill;
	struct piece piece = piece_begin();

	while (f->next < f->count && !piece_over(&piece))
		write_page(vm, f);
	return f->next == f->count;
}
