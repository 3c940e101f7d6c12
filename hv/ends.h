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

#endif
