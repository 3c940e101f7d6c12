/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/core/vcpu.c without a scheduler: events stay in the vCPU and nobody is
 * kicked. A guest's TSC has an offset, and the machine's rate. */
#include "hv/core/vcpu.h"

void vcpu_post(struct vcpu *v, u32 bits)
{
	v->events |= bits;
}

u64 vcpu_guest_tsc(const struct vcpu *v, u64 host_tsc)
{
	return host_tsc + v->hw.tsc_offset;
}

u64 vcpu_host_tsc(const struct vcpu *v, u64 guest_tsc)
{
	return guest_tsc - v->hw.tsc_offset;
}
