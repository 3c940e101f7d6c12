/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the machine, which comes with that of its guests */
#ifndef HV_VM_MACHINE_END_H
#define HV_VM_MACHINE_END_H

#include "hv/core/vm.h"

enum machine_end { MACHINE_POWER_OFF, MACHINE_RESET };

/* For hv/vm/life.c: the privileged guest has stopped, as @how says. Isolated
 * guests get their power button, if their software listens to it, and their
 * time of grace, else they stop at once. The machine ends with the last of
 * them. Any core, no locks held; returns. */
void machine_end(enum machine_end how);
/* hv/vm/life.c counts the guests that live: one starts, one has ended for good.
 * With the last one the machine powers off, or does what machine_end() said,
 * and machine_guest_ended() does not return. Any core, no locks held. */
void machine_guest_started(void);
void machine_guest_ended(void);
/* machine_end() was called: no guest starts again */
bool machine_is_ending(void);

#endif
