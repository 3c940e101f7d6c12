/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bhd knows as Prometheus text, for node_exporter's textfile collector:
 * a file that is replaced whole every 15 seconds.
 */
#ifndef TOOLS_BHD_METRICS_H
#define TOOLS_BHD_METRICS_H

#include <stdio.h>

#include "tools/bhd/bhd.h"

#define METRICS_FOLDER "/var/lib/prometheus/node-exporter"
#define METRICS_FILE   METRICS_FOLDER "/bulkhead.prom"

struct metrics {
	struct bhd *bhd;
	const char *path;
	ev_timer timer;
	bool failed; /* said already */
};

/* Writes @path from now on, and at once */
void metrics_start(struct metrics *m, struct bhd *b, const char *path);
/* Stops, and removes the file, so that nobody takes it for the present */
void metrics_stop(struct metrics *m);
/* All families */
int metrics_print(FILE *to, struct bhd *b, struct failure *f);

/* {"text": all families} */
struct json_object *look_metrics(struct bhd *b, struct json_object *o,
				 struct failure *f);

#endif
