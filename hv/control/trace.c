/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands about the trace (arch/x86/machine/trace.h): its rings are made, read
 * and freed. Called under control.lock; a step makes or frees one core's ring.
 * A trace ends with the device's driver, too; its rings go when something next
 * happens in the device.
 *
 * What is traced ends before a ring is freed: each core has been at the head of
 * its run loop then, and holds none. A core that hangs keeps them all.
 */
#include "arch/x86/machine/trace.h"

#include "arch/x86/cpu/nospec.h"
#include "arch/x86/machine/tsc.h"
#include "hv/control/priv.h"
#include "hv/core/meter.h"
#include "hv/core/quiesce.h"
#include "mm/pmm.h"

#define CORES_MS 1000u

static struct {
	struct trace_ring *rings; /* by core; NULL: nothing is traced */
	u32 made;                 /* how many of them have records */
	u32 records;              /* of each */
	bool on;                  /* the cores write there */
	bool failed;              /* memory is short: what is made goes again */
	bool left;                /* it has ended, and rings remain */
	struct quiesce cores;
	u64 until; /* TSC: nobody waits any longer for them */
} tracing;

static u64 record_bytes(void)
{
	return tracing.records * sizeof(struct bh_ctl_trace);
}

/* All cores, from now on; they know when the quiesce is over */
static void set_cores(bool on)
{
	for (u32 i = 0; i < pcpu_count; i++)
		__atomic_store_n(&pcpus[i]->trace,
				 on ? &tracing.rings[i] : NULL,
				 __ATOMIC_RELEASE);
	meter_trace(on);
	tracing.on = on;
	tracing.cores = quiesce_ask();
	tracing.until = rdtsc() + ns_to_tsc(CORES_MS * NS_PER_MS);
}

static bool cores_know(void)
{
	return quiesce_over(&tracing.cores);
}

/* True: there is nothing left to free */
static bool free_one(void)
{
	if (tracing.made) {
		pmm_free_bytes(&pmm_self, tracing.rings[--tracing.made].records,
			       record_bytes());
		return false;
	}
	pmm_free_bytes(&pmm_self, tracing.rings,
		       pcpu_count * sizeof(*tracing.rings));
	tracing.rings = NULL;
	tracing.failed = false;
	tracing.left = false;
	return true;
}

/* False: no memory. Up to 2 MiB, not zeroed, in a step: trace_read() copies
 * only what trace_put() has written, which is whole records. */
static bool make_one(void)
{
	struct trace_ring *r = &tracing.rings[tracing.made];

	r->mask = tracing.records - 1;
	r->records = pmm_alloc_as_is(&pmm_self, pmm_order(record_bytes()));
	tracing.made += r->records != NULL;
	return r->records;
}

static s32 begin(struct control *c, struct control_call *call, u64 records)
{
	if (tracing.rings)
		return control_error(c, call, BH_CTL_ESTATE,
				     "somebody traces already");
	if (records < BH_CTL_TRACE_MIN || records > BH_CTL_TRACE_MAX ||
	    (records & (records - 1)))
		return control_error(c, call, BH_CTL_EINVAL,
				     "a core keeps 256 to 65536 records, a "
				     "power of two");
	tracing.records = (u32)records;
	tracing.rings =
		pmm_alloc_bytes(&pmm_self, pcpu_count * sizeof(*tracing.rings));
	tracing.failed = !tracing.rings;
	return 0;
}

/* Free a ring of a trace that has ended, once no core holds one */
static s32 clear(struct control *c, struct control_call *call)
{
	if (!call->at++)
		tracing.until = rdtsc() + ns_to_tsc(CORES_MS * NS_PER_MS);
	if (tracing.made && !cores_know()) {
		if (rdtsc() < tracing.until)
			return CONTROL_GOES_ON;
		return control_error(c, call, BH_CTL_EBUSY,
				     "a core does not answer; the last trace "
				     "is kept");
	}
	if (free_one())
		call->at = 0; /* the command's own begin */
	return CONTROL_GOES_ON;
}

static s32 start(struct control *c, struct control_call *call)
{
	s32 err;

	if (tracing.left)
		return clear(c, call);
	err = call->at++ ? 0 : begin(c, call, call->command.arg[1]);
	if (err)
		return err;
	if (tracing.failed) {
		if (tracing.rings && !free_one())
			return CONTROL_GOES_ON;
		tracing.failed = false;
		return control_error(c, call, BH_CTL_ENOMEM,
				     "the hypervisor has no memory for so many "
				     "records on each core; ask for fewer");
	}
	if (tracing.made < pcpu_count) {
		tracing.failed = !make_one();
		return CONTROL_GOES_ON;
	}
	if (!tracing.on)
		set_cores(true);
	return cores_know() || rdtsc() >= tracing.until ? 0 : CONTROL_GOES_ON;
}

void control_trace_end(void)
{
	tracing.left = tracing.rings;
	if (tracing.on)
		set_cores(false);
}

bool control_trace_look(void)
{
	if (!tracing.left || (tracing.made && !cores_know()))
		return false;
	return !free_one();
}

static s32 stop(struct control *c, struct control_call *call)
{
	if (!tracing.rings)
		return 0;
	if (!call->at++)
		tracing.until = rdtsc() + ns_to_tsc(CORES_MS * NS_PER_MS);
	control_trace_end();
	if (tracing.made && !cores_know()) {
		if (rdtsc() < tracing.until)
			return CONTROL_GOES_ON;
		return control_error(c, call, BH_CTL_EBUSY,
				     "a core does not answer; its trace is "
				     "kept");
	}
	return free_one() ? 0 : CONTROL_GOES_ON;
}

s32 control_trace(struct control *c, struct control_call *call)
{
	switch (call->command.arg[0]) {
	case 0:
		return stop(c, call);
	case 1:
		return start(c, call);
	default:
		return control_error(c, call, BH_CTL_EINVAL,
				     "0 ends the trace, 1 begins it");
	}
}

s32 control_trace_read(struct control *c, struct control_call *call)
{
	u64 core = call->command.arg[0], position = call->command.arg[1];
	u32 count = call->out_bytes / (u32)sizeof(struct bh_ctl_trace);

	if (!tracing.on)
		return control_error(c, call, BH_CTL_ESTATE,
				     "nothing is traced");
	if (core >= pcpu_count)
		return control_error(c, call, BH_CTL_EINVAL,
				     "there is no such core");
	count = trace_read(&tracing.rings[index_nospec(core, pcpu_count)],
			   (void *)c->out, count, &position, &call->result[1]);
	call->result[0] = position;
	call->bytes = count * (u32)sizeof(struct bh_ctl_trace);
	return 0;
}
