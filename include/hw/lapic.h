/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local APIC registers by offset in the xAPIC page (SDM 3A 11.4.1 *The Local
 * APIC Block Diagram*; APM 2 16.3 *Local APIC*). An x2APIC register is MSR
 * 800h + offset / 16 (SDM 3A 11.12.1.2 *x2APIC Register Address Space*;
 * 1:ECX[21]). For the host's LAPIC and the virtual one. IA32_APIC_BASE is in
 * include/hw/msr.h.
 */
#ifndef HW_LAPIC_H
#define HW_LAPIC_H

#include "lib/types.h"

/* clang-format off */
#define APIC_DEFAULT_BASE	0xfee00000ull
#define APIC_PAGE_BYTES		0x400u	/* registers end here */

#define APIC_ID			0x020u
#define APIC_VERSION		0x030u
#define APIC_TPR		0x080u
#define APIC_APR		0x090u	/* xAPIC only */
#define APIC_PPR		0x0a0u
#define APIC_EOI		0x0b0u
#define APIC_RRD		0x0c0u	/* xAPIC only */
#define APIC_LDR		0x0d0u
#define APIC_DFR		0x0e0u	/* xAPIC only */
#define APIC_SVR		0x0f0u
#define APIC_ISR		0x100u	/* 8 registers, 10h apart */
#define APIC_TMR		0x180u	/* the same */
#define APIC_IRR		0x200u	/* the same */
#define APIC_ESR		0x280u
#define APIC_LVT_CMCI		0x2f0u	/* APIC_VERSION_MAXLVT 6 */
#define APIC_ICR_LOW		0x300u	/* x2APIC: 64-bit MSR 830h */
#define APIC_ICR_HIGH		0x310u	/* xAPIC only */
#define APIC_LVT_TIMER		0x320u
#define APIC_LVT_THERMAL	0x330u	/* APIC_VERSION_MAXLVT 5 */
#define APIC_LVT_PMC		0x340u	/* APIC_VERSION_MAXLVT 4 */
#define APIC_LVT_LINT0		0x350u
#define APIC_LVT_LINT1		0x360u
#define APIC_LVT_ERROR		0x370u
#define APIC_TIMER_ICT		0x380u	/* initial count */
#define APIC_TIMER_CCT		0x390u	/* current count */
#define APIC_TIMER_DCR		0x3e0u	/* divide configuration */
#define APIC_SELF_IPI		0x3f0u	/* x2APIC only */

#define APIC_X2_MSR(offset)	(0x800u + ((offset) >> 4))

/* SDM 3A 11.4.6 *Local APIC ID*, 11.4.8 *Local APIC Version Register* */
#define APIC_ID_SHIFT		24	/* xAPIC */
#define APIC_VERSION_MAXLVT(v)	(((v) >> 16) & 0xff)

/* Destinations (SDM 3A 11.6.2 *Determining IPI Destination*) */
#define XAPIC_ID_MAX		254u
#define XAPIC_BROADCAST		0xffu	/* physical and logical */
#define X2APIC_BROADCAST	0xffffffffu

/* DFR: the model in bits 31:28, ones below it */
#define APIC_DFR_FLAT		0xffffffffu
#define APIC_DFR_MODEL(dfr)	((dfr) >> 28)
#define APIC_DFR_MODEL_FLAT	0xfu
#define APIC_DFR_MODEL_CLUSTER	0u

/* SDM 3A 11.9 *Spurious Interrupt* */
#define APIC_SVR_ENABLE		(1u << 8)
#define APIC_SVR_FOCUS_OFF	(1u << 9)
#define APIC_SVR_EOI_SUPPRESS	(1u << 12)	/* APIC_VERSION[24] */

/* Vectors below are reserved for exceptions: illegal in messages (SDM 3A
 * 11.5.2 *Valid Interrupt Vectors*) */
#define APIC_FIRST_VECTOR	16u

/* Delivery modes: bits 10:8 of ICR, LVTs, IOAPIC entries and MSI data */
enum apic_delivery {
	APIC_DM_FIXED = 0, APIC_DM_LOWEST = 1, APIC_DM_SMI = 2,
	APIC_DM_RESERVED = 3, APIC_DM_NMI = 4, APIC_DM_INIT = 5,
	APIC_DM_STARTUP = 6, APIC_DM_EXTINT = 7,
};
#define APIC_DM_SHIFT		8
#define APIC_DM_MASK		(7u << APIC_DM_SHIFT)
#define APIC_DM(mode)		((u32)(mode) << APIC_DM_SHIFT)
#define APIC_DM_GET(word)	(((word) >> APIC_DM_SHIFT) & 7)

/* SDM 3A 11.5.1 *Local Vector Table*; delivery mode at 10:8 */
#define APIC_LVT_VECTOR		0xffu
#define APIC_LVT_STATUS		(1u << 12)	/* read-only */
#define APIC_LVT_POLARITY	(1u << 13)	/* LINT0 and 1: active low */
#define APIC_LVT_REMOTE_IRR	(1u << 14)	/* LINT0 and 1, read-only */
#define APIC_LVT_TRIGGER	(1u << 15)	/* LINT0 and 1: level */
#define APIC_LVT_MASKED		(1u << 16)
#define APIC_LVT_TIMER_MODE	(3u << 17)
#define APIC_LVT_TIMER_ONESHOT	(0u << 17)
#define APIC_LVT_TIMER_PERIODIC	(1u << 17)
#define APIC_LVT_TIMER_DEADLINE	(2u << 17)	/* 1:ECX[24] */

/* SDM 3A 11.6.1 *Interrupt Command Register*; delivery mode at 10:8 */
#define APIC_ICR_VECTOR		0xffu
#define APIC_ICR_LOGICAL	(1u << 11)
#define APIC_ICR_STATUS		(1u << 12)	/* not sent yet; xAPIC only */
#define APIC_ICR_ASSERT		(1u << 14)
#define APIC_ICR_LEVEL		(1u << 15)
#define APIC_ICR_SHORTHAND	(3u << 18)
#define APIC_ICR_SH_NONE	(0u << 18)
#define APIC_ICR_SH_SELF	(1u << 18)
#define APIC_ICR_SH_ALL		(2u << 18)
#define APIC_ICR_SH_ALL_BUT	(3u << 18)
#define APIC_ICR_VALID		0x000ccfffu	/* writable bits, low word */

/* SDM 3A 11.5.3 *Error Handling* */
#define APIC_ESR_SEND_ILLEGAL	(1u << 5)
#define APIC_ESR_RECV_ILLEGAL	(1u << 6)
#define APIC_ESR_REG_ILLEGAL	(1u << 7)

/* SDM 3A 11.5.4 *APIC Timer* */
#define APIC_DCR_BY_1		0xbu
#define APIC_DCR_BY_16		0x3u
/* clang-format on */

#endif
