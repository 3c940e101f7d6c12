/* SPDX-License-Identifier: BSD-2-Clause */
/* bhctl trace: what cores do, as a file for Perfetto's and Chrome's viewers */
#ifndef TOOLS_BHCTL_TRACE_H
#define TOOLS_BHCTL_TRACE_H

#include <stdio.h>

#include "include/bulkhead/control.h"
#include "tools/bhctl/args.h"
#include "tools/control/wire.h"

int trace_run(const struct args *a, struct failure *f);

/* --- trace_text.c: the file. Pure: text to a stream. --- */

struct trace_core {
	bool has;  /* a vCPU, */
	u64 guest; /* this one, */
	u32 vcpu;
	u64 since; /* since then */
};

struct trace_file {
	FILE *to;
	struct json_object *about; /* bhd's reply (tools/bhd/trace.h) */
	u64 khz, base;             /* TSC of the file's time 0 */
	u64 events, lost;
	u32 cores;
	struct trace_core *core;
};

/* Begins the file. -1: no memory, or @about is no such reply. */
int trace_file_begin(struct trace_file *t, FILE *to, struct json_object *about,
		     struct failure *f);
/* A record of @core, and how many are lost */
void trace_file_record(struct trace_file *t, u32 core,
		       const struct bh_ctl_trace *r);
void trace_file_lost(struct trace_file *t, u64 count);
void trace_file_end(struct trace_file *t);

#endif
