/* SPDX-License-Identifier: BSD-2-Clause */
/* See meter.h */
#include "tools/control/meter.h"

#include <string.h>

static const char *const names[] = {
	[BH_CTL_METERING_OFF] = "off",
	[BH_CTL_METERING_COUNTERS] = "counters",
	[BH_CTL_METERING_HISTOGRAMS] = "histograms",
};

const char *metering_name(u32 what)
{
	return what < ARRAY_SIZE(names) ? names[what] : "unknown";
}

u32 metering_of(const char *name)
{
	u32 i = 0;

	while (i < ARRAY_SIZE(names) && strcmp(names[i], name))
		i++;
	return i;
}

int control_metering(struct ring *r, u64 what, u32 *now, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_METERING,
				  .arg = { what },
				  .out_bytes = FAIL_TEXT_BYTES };
	struct ring_answer a;

	if (ring_call(r, &call, NULL, &a, f))
		return -1;
	*now = (u32)a.arg[0];
	return 0;
}

int control_histograms(struct ring *r, u64 id, struct list *l,
		       struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_HISTOGRAMS,
				  .arg = { id, BH_CTL_ALL_VCPUS } };

	return control_list(r, &call, 2, sizeof(struct bh_ctl_histogram), l, f);
}

int control_trace_start(struct ring *r, u32 records, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_TRACE,
				  .arg = { 1, records },
				  .out_bytes = FAIL_TEXT_BYTES };

	return ring_call(r, &call, NULL, NULL, f);
}

int control_trace_stop(struct ring *r, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_TRACE,
				  .arg = { 0 },
				  .out_bytes = FAIL_TEXT_BYTES };

	return ring_call(r, &call, NULL, NULL, f);
}

int control_trace_read(struct ring *r, u32 core, u64 position,
		       struct trace_part *part, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_TRACE_READ,
				  .arg = { core, position },
				  .out_bytes = sizeof(part->records) };
	struct ring_answer a;

	if (ring_call(r, &call, part->records, &a, f))
		return -1;
	part->count = a.bytes / (u32)sizeof(part->records[0]);
	part->first = a.arg[0];
	part->end = a.arg[1];
	if (part->first < position || part->first + part->count > part->end)
		return failed(f, FAIL_OTHER,
			      "the device's trace goes back, or over its end");
	return 0;
}
