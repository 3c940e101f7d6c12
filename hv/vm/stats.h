/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's exits were: the counters that exit_dispatch() keeps, as one
 * line in the log. Any core, no locks: the counts of a vCPU that runs may be a
 * little behind. */
#ifndef HV_VM_STATS_H
#define HV_VM_STATS_H

#include "hv/core/vm.h"

/* Since its start; each kind's sum over the vCPUs */
void exit_stats_log(const struct vm *vm);
/* A key typed at the hypervisor's own console: `s` logs every guest's */
void exit_stats_key(u8 key);
/* The guest starts again: from 0. Its vCPUs are parked. */
void exit_stats_reset(struct vm *vm);

#endif
