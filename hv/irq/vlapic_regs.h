/* SPDX-License-Identifier: BSD-2-Clause */
/* Local APIC registers, as SDM 3A 11.4.1 and 11.12.1.2 spell them. Offsets are
 * of the xAPIC page; x2APIC MSR = 0x800 + offset / 16. */
#ifndef HV_IRQ_VLAPIC_REGS_H
#define HV_IRQ_VLAPIC_REGS_H

#include "lib/types.h"

#define APIC_ID      0x020u
#define APIC_VERSION 0x030u
#define APIC_TPR     0x080u
#define APIC_PPR     0x0a0u
#define APIC_EOI     0x0b0u
#define APIC_LDR     0x0d0u
#define APIC_DFR     0x0e0u
#define APIC_SVR     0x0f0u
#define APIC_ISR     0x100u /* eight registers, 0x10 apart */
#define APIC_TMR     0x180u
#define APIC_IRR     0x200u
#define APIC_ESR     0x280u
#define APIC_ICR     0x300u
#define APIC_ICR2    0x310u
#define APIC_LVTT    0x320u
#define APIC_LVTTHMR 0x330u
#define APIC_LVTPC   0x340u
#define APIC_LVT0    0x350u
#define APIC_LVT1    0x360u
#define APIC_LVTERR  0x370u
#define APIC_TMICT   0x380u
#define APIC_TMCCT   0x390u
#define APIC_TDCR    0x3e0u
#define APIC_SELF    0x3f0u

#define APIC_PAGE_BYTES 0x400u /* registers end here */
#define X2APIC_MSR_BASE 0x800u

/* SDM 3A 11.4.8: integrated APIC, LVT entries 0..5, no EOI suppression */
#define APIC_VERSION_VALUE 0x00050014u

#define APIC_SVR_ENABLE (1u << 8)
#define APIC_SVR_FOCUS  (1u << 9)

/* SDM 3A 11.5.3 *Error Handling* */
#define APIC_ESR_SEND_ILLEGAL (1u << 5)
#define APIC_ESR_RECV_ILLEGAL (1u << 6)
#define APIC_ESR_REG_ILLEGAL  (1u << 7)

/* SDM 3A 11.5.1 *Local Vector Table* */
#define APIC_LVT_VECTOR        0xffu
#define APIC_LVT_MODE          0x700u
#define APIC_LVT_MODE_EXTINT   0x700u
#define APIC_LVT_MODE_NMI      0x400u
#define APIC_LVT_STATUS        (1u << 12) /* read-only */
#define APIC_LVT_POLARITY      (1u << 13)
#define APIC_LVT_REMOTE_IRR    (1u << 14) /* read-only */
#define APIC_LVT_TRIGGER       (1u << 15)
#define APIC_LVT_MASKED        (1u << 16)
#define APIC_LVTT_MODE         (3u << 17)
#define APIC_LVTT_ONESHOT      (0u << 17)
#define APIC_LVTT_PERIODIC     (1u << 17)
#define APIC_LVTT_TSC_DEADLINE (2u << 17)

/* SDM 3A 11.6.1 *Interrupt Command Register*; also MSI and RTE fields */
#define APIC_ICR_VECTOR     0xffu
#define APIC_ICR_MODE_SHIFT 8
#define APIC_ICR_LOGICAL    (1u << 11)
#define APIC_ICR_STATUS     (1u << 12)
#define APIC_ICR_ASSERT     (1u << 14)
#define APIC_ICR_LEVEL      (1u << 15)
#define APIC_ICR_SHORTHAND  (3u << 18)
#define APIC_ICR_SH_NONE    (0u << 18)
#define APIC_ICR_SH_SELF    (1u << 18)
#define APIC_ICR_SH_ALL     (2u << 18)
#define APIC_ICR_SH_ALL_BUT (3u << 18)
#define APIC_ICR_VALID      0x000ccfffu /* writable bits of the low word */

enum apic_mode {
	APIC_MODE_FIXED,
	APIC_MODE_LOWEST,
	APIC_MODE_SMI,
	APIC_MODE_RESERVED,
	APIC_MODE_NMI,
	APIC_MODE_INIT,
	APIC_MODE_SIPI,
	APIC_MODE_EXTINT,
};

/* Vectors below 16 are reserved for exceptions: illegal in messages */
#define APIC_FIRST_VECTOR 16u

#define APIC_DFR_FLAT    0xfu  /* bits 31:28 */
#define APIC_BROADCAST   0xffu /* xAPIC physical and logical destination */
#define X2APIC_BROADCAST 0xffffffffu

/* IA32_APIC_BASE (SDM 3A 11.4.4, 11.12.1) */
#define APIC_BASE_BSP     BIT(8)
#define APIC_BASE_EXTD    BIT(10)
#define APIC_BASE_EN      BIT(11)
#define APIC_BASE_DEFAULT 0xfee00000ull
#define APIC_BASE_PAGE    BITS(51, 12)

#endif
