/* SPDX-License-Identifier: BSD-2-Clause */
/* A core without deep states (arch/x86/machine/idle.h) */
#include "arch/x86/machine/idle.h"

void idle_wait_deep(struct pcpu *cpu)
{
}

void idle_look(struct pcpu *cpu)
{
}
