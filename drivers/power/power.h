/* SPDX-License-Identifier: BSD-2-Clause */
/* Power-off and reset of the machine: ACPI S5, the PIIX4's own registers where
 * there are no tables, reset register, CF9, keyboard controller, triple fault
 */
#ifndef DRIVERS_POWER_POWER_H
#define DRIVERS_POWER_POWER_H

#include "lib/types.h"

__noreturn void power_off(void); /* when nothing works: says so and halts */
__noreturn void power_reset(void);
#endif
