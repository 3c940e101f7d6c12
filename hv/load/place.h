/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the parts of a guest image go in its RAM. Room is found in the VM's
 * slots (adjacent ones count as one), off the first megabyte and off everything
 * placed before. Used by one loader at a time, on its stack; no locks.
 */
#ifndef HV_LOAD_PLACE_H
#define HV_LOAD_PLACE_H

#include "hv/core/vm.h"

struct image;

#define PLACE_MAX 48

struct place_range {
	u64 base, size;
};

struct place {
	const struct vm *vm;
	u32 count;
	struct place_range taken[PLACE_MAX];
};

/* Taken at first: the first megabyte, the ACPI area if there is one, and the
 * files of the privileged guest, or a dynamic one, where they are memory of its
 * own */
void place_init(struct place *p, const struct vm *vm);
/* Right after place_init(): of the first megabyte only [0, @begin) and
 * [@end, 1 MiB) are taken. For an isolated guest. */
void place_open_low(struct place *p, u64 begin, u64 end);
/* Take [@base, @base + @size), in bytes. -EFAULT: not all of it is RAM; -EBUSY:
 * some of it is taken; -ENOSPC: PLACE_MAX ranges are. */
int __must_check place_at(struct place *p, u64 base, u64 size);
/* True if the file @image lies in the guest's own RAM and can be used there */
bool place_has(const struct place *p, const struct image *image);
/* Take the lowest or highest @size bytes in @within that are free, at a
 * multiple of @align, a power of two; *@gpa is where. -ENOMEM: there is no such
 * room; -ENOSPC: PLACE_MAX ranges are taken. */
int __must_check place_low(struct place *p, u64 size, u64 align,
			   const struct place_range *within, u64 *gpa);
int __must_check place_high(struct place *p, u64 size, u64 align,
			    const struct place_range *within, u64 *gpa);

#endif
