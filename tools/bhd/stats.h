/* SPDX-License-Identifier: BSD-2-Clause */
/* What is metered, and the histograms of guests, as JSON (request.h) */
#ifndef TOOLS_BHD_STATS_H
#define TOOLS_BHD_STATS_H

#include "tools/bhd/bhd.h"

/* A guest's exits, interrupts and waits; FAIL_STATE where none are metered */
struct json_object *look_stats(struct bhd *b, struct json_object *o,
			       struct failure *f);
/* {"metering": ...}, which "what" changes, if it is there */
struct json_object *look_metering(struct bhd *b, struct json_object *o,
				  struct failure *f);
struct json_object *change_metering(struct bhd *b, struct json_object *o,
				    struct failure *f);
/* Histograms of guest @id that are not empty; NULL: there are none, or no such
 * guest. @names: control_exit_names(). */
struct json_object *stats_histograms(struct bhd *b, u64 id,
				     const struct list *names, u64 khz);

#endif
