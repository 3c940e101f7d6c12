/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTC and CMOS RAM of an isolated guest (MC146818A). It begins with the
 * host's wall clock and goes on by the TSC. Time and RAM outlive resets of the
 * guest. The alarm also sets RTC_STS of the PM block. Called from exits, its
 * device timer and the HPET. Lock: its own; the PM block's and the interrupt
 * controllers' come after it.
 */
#ifndef HV_DEVICE_PC_VRTC_H
#define HV_DEVICE_PC_VRTC_H

#include "hv/core/vm.h"

/* The HPET took IRQ 8 or gave it back: let the line follow. Any core, no lock
 * held. */
void vrtc_look(struct vm *vm);

#endif
