/* SPDX-License-Identifier: BSD-2-Clause */
/* exit_kill() that counts; a reason must be given */
#ifndef TESTS_UNIT_FAKES_KILL_H
#define TESTS_UNIT_FAKES_KILL_H

#include "hv/core/exit.h"

extern u32 kills;
extern const char *kill_reason; /* of the last one */

#endif
