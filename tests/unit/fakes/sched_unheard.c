/* SPDX-License-Identifier: BSD-2-Clause */
/* Nobody hears that a vCPU blocks or wakes, or that a core is kicked */
#include "arch/x86/machine/smp.h"
#include "sched/sched.h"

void sched_block(struct sched_entity *e)
{
}

void sched_wake(struct sched_entity *e)
{
}

void pcpu_kick(struct pcpu *cpu, u32 pending_bits)
{
}
