/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests do, as lines of the log: the counters that exit_dispatch() keeps,
 * and where each vCPU stands. No locks: the counts of a vCPU that runs may be a
 * little behind. */
#ifndef HV_VM_STATS_H
#define HV_VM_STATS_H

#include "hv/core/vcpu.h"

/* Its exits since its first start, over all its lives; each kind's sum over the
 * vCPUs. Any core. */
void exit_stats_log(const struct vm *vm);
/* A key typed at the hypervisor's own console: `s` logs every guest's exits,
 * `v` has every vCPU of a guest that runs say what it does. On the core that
 * takes what is typed. */
void stats_key(u8 key);
/* Logs what @v does and where it is. Home core, attached: a vCPU whose line
 * does not come has a core that hangs. */
void vcpu_report(struct vcpu *v);

#endif
