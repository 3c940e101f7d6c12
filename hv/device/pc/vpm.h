/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI power management block of an isolated guest's ICH9: fixed hardware
 * registers, PM timer, general purpose events, and the APM ports that turn ACPI
 * mode on and off. SMI and TCO registers are there without the SMM behind them.
 * Lock: its own; the interrupt controllers' come after it.
 */
#ifndef HV_DEVICE_PC_VPM_H
#define HV_DEVICE_PC_VPM_H

#include "hv/core/vm.h"

/* Set a status bit of PM1 from outside: the power button was pressed, the RTC's
 * alarm came (ICH9 13.8.3.1). vpm_power_button() returns true if software asked
 * for its SCI. Any core; the RTC's lock may be held. */
bool vpm_power_button(struct vm *vm);
void vpm_rtc_alarm(struct vm *vm);

#endif
