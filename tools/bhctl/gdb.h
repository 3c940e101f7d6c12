/* SPDX-License-Identifier: BSD-2-Clause */
/* bhctl gdb: a guest at the other end of gdb's remote protocol, on a Unix
 * socket, a port of this machine, or standard input and output */
#ifndef TOOLS_BHCTL_GDB_H
#define TOOLS_BHCTL_GDB_H

#include "tools/bhctl/args.h"

int gdb_run(const struct args *a, struct failure *f);

#endif
