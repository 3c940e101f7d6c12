/* SPDX-License-Identifier: BSD-2-Clause */
/* The chipset of PC emulators (82371AB; PIIX4, function 3), where the
 * firmware has no ACPI tables that describe it */
#ifndef DRIVERS_POWER_PIIX4_H
#define DRIVERS_POWER_PIIX4_H

/* Does nothing unless there are no tables and a PIIX4 is there. Then it turns
 * the PM registers on and enters them in `acpi`, with the PC's interrupt
 * overrides, as tables would have. Boot CPU, once, after acpi_init(). */
void piix4_facts(void);

#endif
