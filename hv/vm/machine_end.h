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
/* For hv/init.c, before a guest starts: after so many seconds without a guest
 * the machine resets; 0: it waits for a key */
void machine_reboot_after(u32 seconds);
/*
 * How many guests live: one is made, @vm has ended for good. All are made
 * before the first starts, so that none which ends at once counts as the last.
 * After machine_end(), the last one does what that said, and
 * machine_guest_ended() does not return. Nor does it if the last one ended by
 * itself: the machine powers off. If it did not, machine_stays() says why. Any
 * core, no locks held.
 */
void machine_guest_made(void);
void machine_guest_ended(const struct vm *vm);
/* No guest runs, and somebody should know: @why stays on every console until a
 * key is typed (the machine powers off) or the time of machine_reboot_after()
 * is over. Any core, no locks held; returns, and the core goes on to idle. */
void machine_stays(const char *why);
/* machine_end() was called: no guest starts again */
bool machine_is_ending(void);

#endif
