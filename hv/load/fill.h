/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a loader still has to write into its guest's memory. A loader decides
 * where everything goes and checks it; the bytes of files and the zeros behind
 * them, which may be gigabytes, are noted here and written in pieces
 * (hv/core/piece.h) by load_step(). Small things that a loader makes itself it
 * writes at once.
 *
 * On the boot vCPU's home core while the guest is loaded; no locks.
 */
#ifndef HV_LOAD_FILL_H
#define HV_LOAD_FILL_H

#include "hv/core/vm.h"

/* Get ready to note parts for @vm; what is left of an earlier load is dropped.
 * -ENOMEM. */
int __must_check fill_begin(struct vm *vm);
/*
 * Note a part: @size bytes of @data, which stay mapped and as they are until
 * the fill is over, or zeros, to @gpa on. fill_copy_rom() reaches ROM, too. A
 * part of size 0 is none. -EFAULT: not all of it is RAM; -ENOSPC: too many
 * parts. After fill_begin().
 */
int __must_check fill_copy(struct vm *vm, u64 gpa, const void *data, u64 size);
int __must_check fill_copy_rom(struct vm *vm, u64 gpa, const void *data,
			       u64 size);
int __must_check fill_zero(struct vm *vm, u64 gpa, u64 size);
/* Write a piece, in the order of the notes. True: nothing is left. */
bool fill_step(struct vm *vm);
/* Forget what is left. Nothing, if there is no fill. */
void fill_end(struct vm *vm);

#endif
