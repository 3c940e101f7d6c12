/* SPDX-License-Identifier: BSD-2-Clause */
/* Nobody else wants a core (sched/sched.c), and so nobody helps to zero */
#include "sched/sched.h"

bool sched_others_wait(void)
{
	return false;
}
