/* SPDX-License-Identifier: BSD-2-Clause */
/* What any core may ask of a vCPU, see vcpu.h */
#include "tests/unit/fakes/vcpu.h"

u32 fake_flushes, fake_blocks;

void vcpu_post(struct vcpu *v, u32 bits)
{
	v->events |= bits;
}

void vcpu_block(struct vcpu *v)
{
	fake_blocks++;
}

void vcpu_flush(struct vcpu *v)
{
	fake_flushes++;
}

u64 vcpu_guest_tsc(const struct vcpu *v, u64 host_tsc)
{
	return host_tsc + v->hw.tsc_offset;
}

u64 vcpu_host_tsc(const struct vcpu *v, u64 guest_tsc)
{
	return guest_tsc - v->hw.tsc_offset;
}
