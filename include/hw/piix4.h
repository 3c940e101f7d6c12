/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI function 3 of the 82371AB: power management (PIIX4, 7.1 *Power Management
 * PCI Configuration Registers*). What it decodes from PMBASE on is in
 * include/hw/acpi_pm.h. */
#ifndef HW_PIIX4_H
#define HW_PIIX4_H

/* clang-format off */
#define PIIX4_PM_ID		0x71138086u	/* vendor and device */
#define PIIX4_PMBASE		0x40
#define PIIX4_PMBASE_MASK	0xffc0u
#define PIIX4_PMBASE_DEFAULT	0xb000u
#define PIIX4_PMREGMISC		0x80
#define PIIX4_PMIOSE		0x01u
#define PIIX4_S5_TYPE		0u	/* soft off */
/* clang-format on */

#endif
