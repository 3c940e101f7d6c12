/* SPDX-License-Identifier: BSD-2-Clause */
/* bhctl stats: how long a guest's exits, interrupts and waits take. Pure: text
 * to a stream. */
#ifndef TOOLS_BHCTL_STATS_H
#define TOOLS_BHCTL_STATS_H

#include <stdio.h>

#include "tools/control/wire.h"

void show_stats(FILE *to, struct json_object *reply);
/* "off", "counters", "histograms" */
void show_metering(FILE *to, struct json_object *reply);

#endif
