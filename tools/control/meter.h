/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's commands about what is metered and traced, as guests.h has the
 * others. Each returns 0, or -1: @f says why.
 */
#ifndef TOOLS_CONTROL_METER_H
#define TOOLS_CONTROL_METER_H

#include "tools/control/guests.h"

/* What is metered from now on, enum bh_ctl_metering; or BH_CTL_METERING_ASK.
 * *@now: what is metered. */
int control_metering(struct ring *r, u64 what, u32 *now, struct failure *f);
/* struct bh_ctl_histogram[] of guest @id, summed over its vCPUs */
int control_histograms(struct ring *r, u64 id, struct list *l,
		       struct failure *f);
/* "off", ...; and back, BH_CTL_METERINGS for another word */
const char *metering_name(u32 what);
u32 metering_of(const char *name);

/* Traces from now on with @records a core; and no longer */
int control_trace_start(struct ring *r, u32 records, struct failure *f);
int control_trace_stop(struct ring *r, struct failure *f);
#define TRACE_PART (BH_CTL_OUT_MAX / sizeof(struct bh_ctl_trace))
struct trace_part {
	u64 first, end; /* positions of the first record, of the ring's end */
	u32 count;
	struct bh_ctl_trace records[TRACE_PART];
};
/* What core @core has at @position */
int control_trace_read(struct ring *r, u32 core, u64 position,
		       struct trace_part *part, struct failure *f);

#endif
