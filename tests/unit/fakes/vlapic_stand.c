/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest whose clock goes on when it stands: no timer of a vLAPIC stops */
#include "hv/irq/vlapic.h"

void vlapic_stand(struct vcpu *v)
{
}

void vlapic_go_on(struct vcpu *v, u64 ticks)
{
}
