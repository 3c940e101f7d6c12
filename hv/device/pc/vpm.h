/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI power management block of an isolated guest's ICH9: fixed hardware
 * registers, PM timer, general purpose events, SMI and TCO registers without
 * the SMM behind them, and the APM ports that turn ACPI mode on and off. Lock:
 * its own; below it those of the interrupt controllers.
 */
#ifndef HV_DEVICE_PC_VPM_H
#define HV_DEVICE_PC_VPM_H

#include "hv/core/vm.h"

/* Status bits of PM1 that come from outside (ICH9 13.8.3.1). Any core. The
 * button: true if software asked for its SCI. */
bool vpm_power_button(struct vm *vm);
void vpm_rtc_alarm(struct vm *vm);

#endif
