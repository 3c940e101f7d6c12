/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine stops where it is: a panic, or a start that leads to no guest.
 * Manifest key `panic`. */
#ifndef HV_VM_MACHINE_STOP_H
#define HV_VM_MACHINE_STOP_H

#include "lib/types.h"

/* How long machine_stop() waits before it resets the machine; 0: it does not.
 * Boot CPU, once the manifest is read; before that it does not either. */
void machine_on_stop(u32 seconds);
/* Says what comes now, then resets the machine or returns: the caller halts.
 * The one core that still runs, interrupts off, in any context. */
void machine_stop(void);

#endif
