/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PAUSE and RESUME of static guests. Those of dynamic guests are in dynamic.c,
 * with their states; how any guest stands: pause.h.
 */
#ifndef HV_VM_STILL_H
#define HV_VM_STILL_H

#include "hv/core/vm.h"
#include "include/bulkhead/control.h"

struct dynamic_why;

/* As dynamic_pause() and dynamic_resume() of dynamic.h, of the static, isolated
 * guest @vm */
s32 still_begin(struct vm *vm, u32 tag, struct dynamic_why *why);
s32 still_end(struct vm *vm, struct dynamic_why *why);
/* pause.c: all its vCPUs stand, for still_begin(). Any core. */
void still_stood(struct vm *vm);
/* life.c: it has ended, all vCPUs are parked */
void still_forget(struct vm *vm);
/* Lock held: is it paused, or will it be? */
static inline bool still_wanted(const struct vm *vm)
{
	return vm->still.stands || vm->still.waits;
}

#endif
