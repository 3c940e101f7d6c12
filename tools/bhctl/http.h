/* SPDX-License-Identifier: BSD-2-Clause */
/* bhctl metrics: Prometheus text of bhd's. With --http, one answer to one
 * request on standard input and output, for a socket of systemd's. */
#ifndef TOOLS_BHCTL_HTTP_H
#define TOOLS_BHCTL_HTTP_H

#include "tools/bhctl/args.h"

int http_metrics(const struct args *a, struct failure *f);

/* Reads a request's head from @in, up to its empty line, which an enemy may
 * never send. True: it is GET of /metrics or /. */
bool http_request(int in);

#endif
