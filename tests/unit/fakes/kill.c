/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that cannot go on, see kill.h */
#include "tests/unit/fakes/kill.h"

#include <stdlib.h>

#include "hv/core/regs.h"

u32 kills, refusals;
const char *kill_reason;

enum verdict exit_kill(struct vcpu *v, const char *reason)
{
	if (!reason)
		abort();
	kill_reason = reason;
	kills++;
	return VERDICT_KILL;
}

enum verdict exit_cannot(struct vcpu *v, u8 vector, const char *reason)
{
	refusals++;
	if (vcpu_cpl(vcpu_regs(v)) == CPL_KERNEL)
		return exit_kill(v, reason);
	vcpu_raise_exception(v, vector, EXC_HAS_ERROR_MASK >> vector & 1, 0);
	return VERDICT_INJECT;
}
