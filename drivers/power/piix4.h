/* SPDX-License-Identifier: BSD-2-Clause */
/* The chipset of the PC emulators (82371AB), where the firmware has no ACPI
 * tables to describe it */
#ifndef DRIVERS_POWER_PIIX4_H
#define DRIVERS_POWER_PIIX4_H

/* If a PIIX4 is there: its PM registers and the PC's interrupt overrides into
 * struct acpi_facts, as tables would have. Boot CPU, after acpi_init(). */
void piix4_facts(void);

#endif
