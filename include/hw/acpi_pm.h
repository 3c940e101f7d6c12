/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI power management registers (ACPI 6.4, 4.8), as offsets from the base of
 * the ICH9's block (ICH9, 13.8.3 *Power Management I/O Registers*, 13.9 *System
 * Management TCO Registers*). PM1_STS to PM1_TMR lie alike in the PIIX4 (PIIX4,
 * 7.2).
 */
#ifndef HW_ACPI_PM_H
#define HW_ACPI_PM_H

#include "lib/types.h"

#define PM_BLOCK_BYTES 128u

#define PM_PM1_STS  0x00
#define PM_PM1_EN   0x02
#define PM_PM1_CNT  0x04
#define PM_PM1_TMR  0x08
#define PM_GPE0_STS 0x20
#define PM_GPE0_EN  0x28
#define PM_SMI_EN   0x30
#define PM_SMI_STS  0x34
#define PM_TCO      0x60
#define PM_TCO_END  0x80

/* 13.8.3.1 PM1_STS and 13.8.3.2 PM1_EN: status and enable of one event have
 * the same bit */
#define PM1_TMR    BIT(0)
#define PM1_BM     BIT(4)
#define PM1_GBL    BIT(5)
#define PM1_PWRBTN BIT(8)
#define PM1_SLPBTN BIT(9)
#define PM1_RTC    BIT(10)
#define PM1_WAK    BIT(15)

#define PM1_STS_BYTES 2

#define PM1_STS_BITS                                                           \
	(PM1_TMR | PM1_BM | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN | PM1_RTC |      \
	 PM1_WAK)
#define PM1_EN_BITS (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN | PM1_RTC)

/* 13.8.3.3 PM1_CNT. SLP_EN and GBL_RLS are written only. */
#define PM1_CNT_SCI_EN        BIT(0)
#define PM1_CNT_BM_RLD        BIT(1)
#define PM1_CNT_SLP_TYP_SHIFT 10
#define PM1_CNT_SLP_TYP_MASK  7u
#define PM1_CNT_SLP_TYP       (PM1_CNT_SLP_TYP_MASK << PM1_CNT_SLP_TYP_SHIFT)
#define PM1_CNT_SLP_EN        BIT(13)
#define PM1_CNT_KEEPS         (PM1_CNT_SCI_EN | PM1_CNT_BM_RLD | PM1_CNT_SLP_TYP)
#define PM1_CNT_BYTES         2

/* 13.8.3.4 PM1_TMR: the status bit is set when bit 23 of 24 changes */
#define PM_TMR_HZ     3579545u
#define PM_TMR_BITS   24
#define PM_TMR_MASK   0xffffffu
#define PM_TMR_TOGGLE 23

/* 13.8.3.9 SMI_EN */
#define SMI_EN_APMC_EN BIT(5)

/* 13.9, from PM_TCO: words, but for some bytes behind TCO2_CNT */
#define TCO_BYTES      0x20u
#define TCO_RLD        0x00
#define TCO1_STS       0x04
#define TCO1_TIMEOUT   BIT(3) /* cleared by 1 */
#define TCO2_STS       0x06
#define TCO2_SECOND_TO BIT(1) /* cleared by 1; survives a reset */
#define TCO_CNT        0x08 /* TCO1_CNT, the first that keeps what is written */
#define TCO1_HALT      BIT(11)
#define TCO1_LOCK      BIT(12)
#define TCO_SW_IRQ_GEN 0x10
#define TCO_TMR        0x12
#define TCO_TMR_BITS   0x3ffu
#define TCO_TMR_LEAST  4u /* less is ignored */
#define TCO_TICK_NS    600000000u

#endif
