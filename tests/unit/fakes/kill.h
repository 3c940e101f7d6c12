/* SPDX-License-Identifier: BSD-2-Clause */
/* exit_kill() that counts; a reason must be given. exit_cannot() as it is. */
#ifndef TESTS_UNIT_FAKES_KILL_H
#define TESTS_UNIT_FAKES_KILL_H

#include "hv/core/exit.h"

extern u32 kills;
extern u32 refusals;            /* calls of exit_cannot(), at whatever CPL */
extern const char *kill_reason; /* of the last one */

#endif
