/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that cannot go on, see kill.h */
#include "tests/unit/fakes/kill.h"

#include <stdlib.h>

u32 kills;
const char *kill_reason;

enum verdict exit_kill(struct vcpu *v, const char *reason)
{
	if (!reason)
		abort();
	kill_reason = reason;
	kills++;
	return VERDICT_KILL;
}
