/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests on the threads of one processor core, which share its buffers, its L1
 * cache and its predictors while both run */
#ifndef HV_VM_SIBLINGS_H
#define HV_VM_SIBLINGS_H

#include "lib/types.h"

/* Logs where two threads of a core have different guests, in one line, and
 * returns for how many pairs. Placement does not look at threads: only `cores`
 * of the manifest keeps guests apart. Boot CPU, when all guests are made. */
u32 siblings_report(void);

#endif
