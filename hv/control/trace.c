/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands about the trace (arch/x86/machine/trace.h): its rings are made, read
 * and freed. Called under control.lock; a step makes or frees one core's ring,
 * or tells some cores. A trace ends with the device's driver, too:
 * control_trace_look() does then what the steps of a command do else, and
 * either may find that the other has done some. So how far it is stands in
 * tracing.phase alone, not in a command.
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

#define CORES_MS   1000u
#define STEP_CORES 64u /* told in a step: each is a line of another core's */

enum phase {
	TRACE_NONE,   /* no rings */
	TRACE_MAKES,  /* a command makes them, */
	TRACE_SHORT,  /* finds no memory for all, and frees what it made, */
	TRACE_TELLS,  /* or tells the cores, */
	TRACE_BEGINS, /* and waits until they know */
	TRACE_ON,
	TRACE_ENDS, /* the cores are told that there are none, */
	TRACE_GOES, /* and once all know, the rings are freed */
};

static struct {
	enum phase phase;
	struct trace_ring *rings; /* by core */
	u32 made;                 /* how many of them have records */
	u32 told;                 /* how many cores have theirs */
	u32 records;              /* of each */
	struct quiesce cores;
} tracing;

static u64 record_bytes(void)
{
	return tracing.records * sizeof(struct bh_ctl_trace);
}

/* True: all have been told; they know when the quiesce is over */
static bool tell_cores(bool on)
{
	u32 all = on ? pcpu_count : 0;

	for (u32 i = 0; i < STEP_CORES && tracing.told != all; i++) {
		u32 core = on ? tracing.told++ : --tracing.told;

		__atomic_store_n(&pcpus[core]->trace,
				 on ? &tracing.rings[core] : NULL,
				 __ATOMIC_RELEASE);
	}
	if (tracing.told != all)
		return false;
	meter_trace(on);
	tracing.cores = quiesce_ask();
	return true;
}

static bool cores_know(void)
{
	return quiesce_over(&tracing.cores);
}

/* When nobody waits any longer for the cores: a TSC */
static u64 deadline(void)
{
	return rdtsc() + ns_to_tsc(CORES_MS * NS_PER_MS);
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
	tracing.phase = TRACE_NONE;
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

bool control_trace_end(void)
{
	if (tracing.phase == TRACE_NONE)
		return false;
	if (tracing.phase != TRACE_GOES)
		tracing.phase = TRACE_ENDS;
	meter_trace(false);
	return true;
}

bool control_trace_look(void)
{
	if (tracing.phase == TRACE_ENDS) {
		if (tell_cores(false))
			tracing.phase = TRACE_GOES;
		return true;
	}
	if (tracing.phase != TRACE_GOES || (tracing.made && !cores_know()))
		return false;
	return !free_one();
}

/* A step of an end that a command waits for; 0: there is no trace any more */
static s32 end_step(struct control *c, struct control_call *call)
{
	bool more = control_trace_look();

	if (tracing.phase == TRACE_NONE)
		return 0;
	if (!call->at)
		call->at = deadline();
	if (!more && rdtsc() >= call->at)
		return control_error(c, call, BH_CTL_EBUSY,
				     "a core does not answer; the last trace "
				     "is kept");
	return CONTROL_GOES_ON;
}

static s32 no_memory(struct control *c, struct control_call *call)
{
	return control_error(c, call, BH_CTL_ENOMEM,
			     "the hypervisor has no memory for so many "
			     "records on each core; ask for fewer");
}

static s32 begin(struct control *c, struct control_call *call, u64 records)
{
	if (records < BH_CTL_TRACE_MIN || records > BH_CTL_TRACE_MAX ||
	    (records & (records - 1)))
		return control_error(c, call, BH_CTL_EINVAL,
				     "a core keeps 256 to 65536 records, a "
				     "power of two");
	tracing.records = (u32)records;
	tracing.rings =
		pmm_alloc_bytes(&pmm_self, pcpu_count * sizeof(*tracing.rings));
	if (!tracing.rings)
		return no_memory(c, call);
	tracing.phase = TRACE_MAKES;
	return CONTROL_GOES_ON;
}

/* One command at a time is under way, and one that is given up ends the trace:
 * a beginning that is found is this command's own */
static s32 start(struct control *c, struct control_call *call)
{
	s32 err;

	switch (tracing.phase) {
	case TRACE_NONE:
		return begin(c, call, call->command.arg[1]);
	case TRACE_MAKES:
		if (!make_one())
			tracing.phase = TRACE_SHORT;
		else if (tracing.made == pcpu_count)
			tracing.phase = TRACE_TELLS;
		return CONTROL_GOES_ON;
	case TRACE_SHORT:
		return free_one() ? no_memory(c, call) : CONTROL_GOES_ON;
	case TRACE_TELLS:
		if (tell_cores(true)) {
			tracing.phase = TRACE_BEGINS;
			call->at = deadline();
		}
		return CONTROL_GOES_ON;
	case TRACE_BEGINS:
		if (!cores_know() && rdtsc() < call->at)
			return CONTROL_GOES_ON;
		tracing.phase = TRACE_ON;
		return 0;
	case TRACE_ON:
		return control_error(c, call, BH_CTL_ESTATE,
				     "somebody traces already");
	default:
		err = end_step(c, call);
		return err ? err : CONTROL_GOES_ON;
	}
}

static s32 stop(struct control *c, struct control_call *call)
{
	(void)control_trace_end();
	return end_step(c, call);
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

	if (tracing.phase != TRACE_ON)
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
