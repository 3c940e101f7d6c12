/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants: what of the pool the privileged guest reaches, at the real addresses,
 * in its own EPT or NPT. A unit that is not granted is not mapped. A touch of
 * it finds one scratch frame of 2 MiB, which is for all such touches and nobody
 * else's; it is counted and logged.
 *
 * Any core. Lock: the privileged guest's npt_lock.
 */
#ifndef HV_VM_GRANT_H
#define HV_VM_GRANT_H

#include "hv/core/vm.h"

/* Tables for all of the pool in @vm's, the privileged guest's, so that no grant
 * lacks memory later. While it is made. -ENOMEM. */
int __must_check grant_prepare(struct vm *vm);
/* The unit at @base, whole, is granted: mapped, instead of the scratch frame if
 * it was touched. Then it is true that each core must pass (hv/core/quiesce.h)
 * before the guest can rely on it. */
bool grant_unit(u64 base);
/* It is no longer. Each core must pass before anybody else may have it. */
void grant_end(u64 base);
/* A vCPU of the privileged guest @vm touched @gpa of the pool, which was not
 * mapped. 0: enter again. -ENOMEM. */
int __must_check grant_touched(struct vm *vm, u64 gpa);
/* How often that was */
u64 grant_touches(void);

#endif
