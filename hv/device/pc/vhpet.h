/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HPET of an isolated guest (IA-PC HPET 1.0a): 100 MHz, a 64-bit counter
 * and three timers of 64 bits, the first of them periodic, too. They have edge
 * and level, legacy replacement, and IOAPIC pins 20 to 23 (the third also 11),
 * but no FSB messages. Ticks are those of hv/time/vticks.h. Called from exits
 * and device timers. Lock: its own; the interrupt controllers' come after it.
 */
#ifndef HV_DEVICE_PC_VHPET_H
#define HV_DEVICE_PC_VHPET_H

#include "hv/core/vm.h"

/* True while legacy replacement is on: the PIT and the RTC have no interrupt
 * line then (IA-PC HPET 2.3.5). False before the HPET is made. Any core, no
 * lock taken. */
bool vhpet_legacy(const struct vm *vm);

#endif
