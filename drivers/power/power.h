/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine, by hv/vm/machine_end.c. Last of all: on one core that
 * runs no guest and has left VMX or SVM, with interrupts off and the other
 * cores stopped. After acpi_init() and piix4_facts(). Neither returns; no lock.
 */
#ifndef DRIVERS_POWER_POWER_H
#define DRIVERS_POWER_POWER_H

#include "lib/types.h"

/* Gets ready for power_reset(), which takes no lock. Boot CPU, once, after
 * acpi_init(). */
void power_init(void);
/* Switches the machine off by ACPI S5, or by the PIIX4's registers that stand
 * in for it. If it still runs after 2 s, it says so and halts. ACPI 6.4, 16.1.7
 * *Transitioning from the Working to the Soft Off State*. */
__noreturn void power_off(void);
/* Resets the machine by the first of these that works: ACPI's reset register,
 * port CF9h, the keyboard controller, a triple fault. What is in RAM stays. */
__noreturn void power_reset(void);

#endif
