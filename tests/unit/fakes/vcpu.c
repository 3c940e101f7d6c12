/* SPDX-License-Identifier: BSD-2-Clause */
/* What any core may ask of a vCPU, see vcpu.h */
#include "tests/unit/fakes/vcpu.h"

u32 fake_flushes, fake_blocks;

void vcpu_post(struct vcpu *v, u32 bits)
{
	v->events |= bits;
}

void vcpu_post_here(struct vcpu *v, u32 bits)
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
