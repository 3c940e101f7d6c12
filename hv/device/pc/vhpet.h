/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HPET of an isolated guest (IA-PC HPET 1.0a): 100 MHz, a 64-bit counter,
 * three timers of 64 bits, the first periodic too; edge and level, legacy
 * replacement, IOAPIC pins 20 to 23 (and 11 for the third); no FSB messages.
 * Ticks as in hv/time/vticks.h. Lock: its own; below it the interrupt
 * controllers'.
 */
#ifndef HV_DEVICE_PC_VHPET_H
#define HV_DEVICE_PC_VHPET_H

#include "hv/core/vm.h"

/* Legacy replacement is on: the PIT and the RTC have no interrupt line. Any
 * core, any lock held. */
bool vhpet_legacy(const struct vm *vm);

#endif
