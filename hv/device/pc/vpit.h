/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254 timer of an isolated guest with the speaker's gate at port 61h.
 * Channel 0 is IRQ 0, unless the HPET has taken its place.
 *
 * Ticks (hv/time/vticks.h): one that finds the last one not taken yet is kept
 * and comes later, at twice the rate, so that a guest that runs counts them
 * all; of a long pause no more than a quarter of a second is made up for. Ticks
 * come no faster than each 50 us. While no interrupt controller would take one,
 * there are none. Lock: its own; below it the interrupt controllers'.
 */
#ifndef HV_DEVICE_PC_VPIT_H
#define HV_DEVICE_PC_VPIT_H

#include "hv/core/vm.h"

/* IRQ 0 may have been unmasked, or given back by the HPET. No lock held. */
void vpit_look(struct vm *vm);

#endif
