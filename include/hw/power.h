/* SPDX-License-Identifier: BSD-2-Clause */
/* Power and reset registers: ACPI 6.4, 4.8.3.2 *PM1 Control*; 82371AB (PIIX4)
 * data sheet, 7.1 and 7.2; ICH reset control CF9h; 8042 */
#ifndef HW_POWER_H
#define HW_POWER_H

/* clang-format off */
#define PM1_CNT_OFFSET		4	/* from the PM1 event block, PIIX4 */
#define PM1_SCI_EN		0x0001u
#define PM1_SLP_TYP_SHIFT	10
#define PM1_SLP_TYP_MASK	0x1c00u
#define PM1_SLP_EN		0x2000u

#define PIIX4_PM_ID		0x71138086u	/* vendor and device */
#define PIIX4_PMBASE		0x40
#define PIIX4_PMBASE_MASK	0xffc0u
#define PIIX4_PMBASE_DEFAULT	0xb000u
#define PIIX4_PMREGMISC		0x80
#define PIIX4_PMIOSE		0x01u
#define PIIX4_S5_TYPE		0u	/* soft off */

#define RESET_PORT		0xcf9
#define RESET_CPU		0x02	/* the kind: hard */
#define RESET_GO		0x04	/* rising edge resets */

#define KBC_COMMAND		0x64
#define KBC_INPUT_FULL		0x02
#define KBC_PULSE_RESET		0xfe

#define DELAY_PORT		0x80	/* a write takes about 1 us */
/* clang-format on */

#endif
