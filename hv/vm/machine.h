/* SPDX-License-Identifier: BSD-2-Clause */
/* The ends of things: a guest's and the machine's */
#ifndef HV_VM_MACHINE_H
#define HV_VM_MACHINE_H

#include "hv/core/vm.h"

enum machine_end { MACHINE_POWER_OFF, MACHINE_RESET };

/* The privileged guest has stopped. Isolated guests get their power button, if
 * they enabled it, and their time of grace; the machine ends with the last of
 * them. Any core; returns. */
void machine_end(enum machine_end how);
/* hv/vm/create.c counts the guests that live: one starts, one has ended for
 * good. With the last one the machine powers off, or does what machine_end()
 * said. */
void machine_guest_started(void);
void machine_guest_ended(void);
/* machine_end() was called: no guest starts again */
bool machine_is_ending(void);

#endif
