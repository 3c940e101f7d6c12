/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ids of the guests there are (vm_number()), in their order: so that a list
 * of guests in parts looks each up by halves, and none goes through all.
 *
 * Any core, any context. A lock inside ids.c, a leaf, held for the move of 8
 * KiB at most.
 */
#ifndef HV_VM_IDS_H
#define HV_VM_IDS_H

#include "lib/types.h"

/* @id, which is not among them, of one of VM_MAX guests */
void ids_add(u64 id);
/* @id is not among them any more, if it was */
void ids_remove(u64 id);
/* The lowest one above @id, or 0: there is none. *@more: how many are above
 * that. */
u64 ids_above(u64 id, u32 *more);
u32 ids_count(void);

#endif
