/* SPDX-License-Identifier: BSD-2-Clause */
/* bhctl dump: a guest that is paused, or has crashed, as an ELF core. One that
 * runs is paused meanwhile. */
#ifndef TOOLS_BHCTL_DUMP_H
#define TOOLS_BHCTL_DUMP_H

#include "tools/bhctl/args.h"

int dump_run(const struct args *a, struct failure *f);

#endif
