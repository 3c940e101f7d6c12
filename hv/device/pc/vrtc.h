/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTC and CMOS RAM of an isolated guest (MC146818A). It begins with the
 * host's wall clock and goes on by the TSC, through resets of the guest too,
 * as does the RAM. The alarm also sets RTC_STS of the PM block. Lock: its own;
 * below it the PM block's and the interrupt controllers'.
 */
#ifndef HV_DEVICE_PC_VRTC_H
#define HV_DEVICE_PC_VRTC_H

#include "hv/core/vm.h"

/* The HPET took IRQ 8, or gave it back. No lock held. */
void vrtc_look(struct vm *vm);

#endif
