/* SPDX-License-Identifier: BSD-2-Clause */
/* The run loop */
#ifndef HV_RUN_LOOP_H
#define HV_RUN_LOOP_H

#include "lib/types.h"

/* The core's forever loop: pick a vCPU, run it, handle its exits; halt when
 * there is none. Every core, with interrupts off and its back-end enabled. */
__noreturn void vcpu_loop(void);

#endif
