/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254 timer of an isolated guest with the speaker's gate at port 61h.
 * Channel 0 is IRQ 0, unless the HPET has taken its place.
 *
 * Ticks (hv/time/vticks.h): a tick that finds the last one not taken yet is
 * kept and comes later, at twice the rate. So a guest that runs counts all.
 * After a pause, at most 250 ms of missed ticks are delivered. Ticks are at
 * least 50 us apart. While no interrupt controller would take one, there are
 * none.
 *
 * Called from exits, its device timer and the HPET. Lock: its own; the
 * interrupt controllers' come after it.
 */
#ifndef HV_DEVICE_PC_VPIT_H
#define HV_DEVICE_PC_VPIT_H

#include "hv/core/vm.h"

/* Look whether ticks are wanted again: IRQ 0 may have been unmasked, or the
 * HPET has taken it or given it back. Any core, no lock held. */
void vpit_look(struct vm *vm);

#endif
