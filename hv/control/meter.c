/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about what is metered (hv/core/meter.h). Called under
 * control.lock. */
#include "hv/core/meter.h"

#include "arch/x86/cpu/nospec.h"
#include "arch/x86/machine/tsc.h"
#include "hv/control/priv.h"
#include "hv/core/quiesce.h"

/* A core that hangs is waited for no longer */
#define CORES_MS 1000u
/* Histograms of so many vCPUs are summed in a step */
#define SUMMED_AT_ONCE 8u
/* As many as are given at once */
#define GIVEN_AT_ONCE (BH_CTL_OUT_MAX / (u32)sizeof(struct bh_ctl_histogram))

/* One command runs at a time */
static struct quiesce cores;

/* Each core begins with it at its next turn, which the quiesce makes it do */
s32 control_metering(struct control *c, struct control_call *call)
{
	u64 what = call->command.arg[0];

	call->result[0] = metering;
	if (what == BH_CTL_METERING_ASK)
		return 0;
	if (what >= BH_CTL_METERINGS)
		return control_error(c, call, BH_CTL_EINVAL,
				     "off, counters or histograms can be "
				     "metered");
	if (!call->at) {
		meter_switch((enum bh_ctl_metering)what);
		cores = quiesce_ask();
		call->at = rdtsc() + ns_to_tsc(CORES_MS * NS_PER_MS);
	}
	if (!quiesce_over(&cores) && rdtsc() < call->at)
		return CONTROL_GOES_ON;
	call->result[0] = metering;
	return 0;
}

static void add(struct bh_ctl_histogram *sum, const struct bh_ctl_histogram *h)
{
	sum->ticks += READ_ONCE(h->ticks);
	for (u32 i = 0; i < BH_CTL_BUCKETS; i++)
		sum->count[i] += READ_ONCE(h->count[i]);
}

static void add_vcpu(struct control *c, const struct control_call *call,
		     const struct vcpu *v, u64 first)
{
	const struct vcpu_meter *m = READ_ONCE(v->meter);
	struct bh_ctl_histogram *out = (void *)c->out;

	if (!m || m->started != v->vm->tsc_start)
		return;
	for (u32 i = 0; i < call->bytes / sizeof(*out); i++)
		add(&out[i], &m->histogram[first + i]);
}

/* Sums that grow by some vCPUs a step; call->vcpu: the next one */
static s32 add_all(struct control *c, struct control_call *call,
		   const struct vm *vm, u64 first)
{
	for (u32 left = SUMMED_AT_ONCE; left; left--) {
		if (call->vcpu >= vm->vcpu_count)
			return 0;
		add_vcpu(c, call, vm->vcpus[call->vcpu++], first);
	}
	return CONTROL_GOES_ON;
}

s32 control_histograms(struct control *c, struct control_call *call)
{
	const struct vm *vm = vm_numbered(call->command.arg[0]);
	u64 vcpu = call->command.arg[1];
	u64 first =
		index_nospec(MIN(call->command.arg[2], (u64)METER_HISTOGRAMS),
			     METER_HISTOGRAMS + 1);
	u32 count = MIN((u32)(METER_HISTOGRAMS - first), GIVEN_AT_ONCE);

	if (!vm)
		return control_error(c, call, BH_CTL_ENOENT,
				     "there is no such guest (any more)");
	call->result[0] = METER_HISTOGRAMS;
	for (u32 i = call->at ? count : 0; i < count; i++)
		if (!control_next(c, call, sizeof(struct bh_ctl_histogram)))
			break;
	call->at = 1;
	if (vcpu == BH_CTL_ALL_VCPUS)
		return add_all(c, call, vm, first);
	if (vcpu >= vm->vcpu_count)
		return control_error(c, call, BH_CTL_EINVAL,
				     "the guest has no such vCPU");
	add_vcpu(c, call, vm->vcpus[index_nospec(vcpu, vm->vcpu_count)], first);
	return 0;
}
