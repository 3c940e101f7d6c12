/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's RAM becomes zero: before its first instruction, and behind its
 * last. Its boot vCPU does it, in pieces (work.h). Where others want that
 * vCPU's core, a core that is idle does pieces, too: one guest at a time has
 * such help.
 */
#ifndef HV_VM_ZERO_H
#define HV_VM_ZERO_H

#include "hv/core/vm.h"

/* From the beginning. Any core; its boot vCPU does not work. */
void zero_begin(struct vm *vm);
/* A piece; true: all of it is zero, and no core is at it any more. Home core of
 * the boot vCPU. */
bool __must_check zero_step(struct vm *vm);
/* Would zero_help() find something? A core that is idle asks at each turn. */
extern u32 zero_wanted;
static inline bool zero_help_wanted(void)
{
	return READ_ONCE(zero_wanted);
}
/* A piece for some guest; false: there was nothing. A core that has nobody to
 * run, once between two heads of its run loop. */
bool zero_help(void);

#endif
