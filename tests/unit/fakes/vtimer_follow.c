/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest without device timers (hv/time/vtimer.c) */
#include "hv/time/vtimer.h"

void vtimer_follow(struct vm *vm)
{
}
