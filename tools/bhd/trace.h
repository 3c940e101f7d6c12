/* SPDX-License-Identifier: BSD-2-Clause */
/* A client's trace of the machine: read from the device as long as it lasts */
#ifndef TOOLS_BHD_TRACE_H
#define TOOLS_BHD_TRACE_H

#include "tools/bhd/client.h"

/*
 * Traces for "seconds", or until the client hangs up. The reply has
 * "tsc", "tsc_khz", "cores", the "exits" by their names and the guests' names
 * by id. Behind it the line is the trace's: struct trace_chunk and its records,
 * again and again, and then its end.
 */
void trace_begin(struct client *c, struct json_object *o);

struct trace_chunk {
	u32 core, count; /* records that follow, struct bh_ctl_trace */
	u64 lost;        /* records of the core before them */
};

#define TRACE_SECONDS_MAX 3600u

#endif
