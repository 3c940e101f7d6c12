/* SPDX-License-Identifier: BSD-2-Clause */
/* See trace.h */
#include "arch/x86/machine/trace.h"

#include "arch/x86/machine/tsc.h"
#include "lib/string.h"

/* The tail last: who sees it sees the record */
void trace_put(const struct bh_ctl_trace *record)
{
	struct trace_ring *r = READ_ONCE(this_cpu()->trace);

	if (!r)
		return;
	r->records[r->tail & r->mask] = *record;
	__atomic_store_n(&r->tail, r->tail + 1, __ATOMIC_RELEASE);
}

void trace_now(enum bh_ctl_trace_event event, u32 kind, u64 arg)
{
	struct bh_ctl_trace record = { .tsc = rdtsc(),
				       .arg = arg,
				       .event = (u16)event,
				       .kind = (u16)kind };

	trace_put(&record);
}

/* The oldest that is whole where @tail were written and one more is just being
 * written */
static u64 oldest(const struct trace_ring *r, u64 tail)
{
	return tail > r->mask ? tail - r->mask : 0;
}

u32 trace_read(const struct trace_ring *r, struct bh_ctl_trace *out, u32 count,
	       u64 *position, u64 *end)
{
	u64 tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
	u64 at = MIN(MAX(*position, oldest(r, tail)), tail), first;
	u32 n = (u32)MIN(tail - at, (u64)count);

	for (u32 i = 0; i < n; i++)
		out[i] = r->records[(at + i) & r->mask];
	/* What was copied is read before the tail is read again */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	first = MIN(
		MAX(at, oldest(r, __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE))),
		at + n);
	memmove(out, out + (first - at), (at + n - first) * sizeof(*out));
	*position = first;
	*end = tail;
	return (u32)(at + n - first);
}
