/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace: a ring of struct bh_ctl_trace for each core, which the core alone
 * writes, with interrupts off and no lock. Others read it meanwhile, and find
 * by its tail what was overwritten. No ring: nothing is traced.
 *
 * hv/control/trace.c makes the rings, and frees them when each core has been at
 * the head of its run loop (hv/core/quiesce.h): a pointer to a ring is good
 * until then.
 */
#ifndef ARCH_X86_MACHINE_TRACE_H
#define ARCH_X86_MACHINE_TRACE_H

#include "arch/x86/cpu/percpu.h"
#include "include/bulkhead/control.h"

struct trace_ring {
	u64 tail; /* records that were ever written; atomic */
	u32 mask; /* of their index: how many it keeps, less 1 */
	struct bh_ctl_trace *records;
} __aligned(64);

/* Is this core traced? */
static inline bool trace_is_on(void)
{
	return READ_ONCE(this_cpu()->trace);
}
/* One more of this core, if it is traced. Interrupts off; no NMI's. */
void trace_put(const struct bh_ctl_trace *record);
/* The same, of now and of no guest */
void trace_now(enum bh_ctl_trace_event event, u32 kind, u64 arg);
/* Copies up to @count records from *@position on to @out; *@position becomes
 * that of the first that is still there, *@end is that of the ring's end.
 * Returns how many. Any core. */
u32 trace_read(const struct trace_ring *r, struct bh_ctl_trace *out, u32 count,
	       u64 *position, u64 *end);

#endif
