/* SPDX-License-Identifier: BSD-2-Clause */
/* The ends of things: a guest's and the machine's */
#ifndef HV_ENDS_H
#define HV_ENDS_H

#include "hv/vm.h"

enum machine_end { MACHINE_POWER_OFF, MACHINE_RESET };

/* Stop every guest in order (isolated ones first, the privileged last), leave
 * VMX/SVM on every core, then power off or reset. Any core; returns to let the
 * caller's own vCPU park. */
void machine_end(enum machine_end how);
/* hv/vm.c counts the guests that live: one starts, one has ended for good.
 * With the last one the machine powers off, or does what machine_end() said. */
void machine_guest_started(void);
void machine_guest_ended(void);
/* machine_end() was called: no guest starts again */
bool machine_is_ending(void);

#endif
