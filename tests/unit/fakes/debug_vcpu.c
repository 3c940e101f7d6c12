/* SPDX-License-Identifier: BSD-2-Clause */
/* No vCPU has a debugger (hv/vm/debug_vcpu.c) */
#include "hv/vm/debug.h"

bool debug_holds(const struct vcpu *v)
{
	return false;
}

void debug_arm(struct vcpu *v)
{
}

void debug_disarm(struct vcpu *v)
{
}

void debug_init(struct vcpu *v)
{
	v->debug.stepping = false;
}

bool debug_withholds(struct vcpu *v)
{
	return vcpu_regs(v)->rflags & (1 << 8);
}

bool debug_exception(struct vcpu *v, const struct vcpu_exit *e)
{
	return false;
}

enum verdict debug_dr_exit(struct vcpu *v)
{
	return VERDICT_RESUME;
}
