/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the parts of a guest image go in its RAM: finds room in the VM's slots
 * (adjacent ones count as one), off the first megabyte and off everything
 * placed before. Used by one loader at a time, on its stack.
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
 * files of the privileged guest where they are memory of its own */
void place_init(struct place *p, const struct vm *vm);
/* Right after place_init(): of the first megabyte only [0, @begin) and
 * [@end, 1 MiB) are taken. For an isolated guest. */
void place_open_low(struct place *p, u64 begin, u64 end);
/* Take [base, base + size): -EFAULT not all RAM, -EBUSY taken, -ENOSPC */
int __must_check place_at(struct place *p, u64 base, u64 size);
/* The file @image lies in the guest's RAM, where it can be used in place */
bool place_has(const struct place *p, const struct image *image);
/* Take the lowest or highest room in [min, max); @align: a power of two;
 * -ENOMEM, -ENOSPC */
int __must_check place_low(struct place *p, u64 size, u64 align,
			   const struct place_range *within, u64 *gpa);
int __must_check place_high(struct place *p, u64 size, u64 align,
			    const struct place_range *within, u64 *gpa);

#endif
