/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local APIC registers by offset in the xAPIC page; the x2APIC MSR is
 * 800h + offset / 16 (SDM 3A 11.4.1 table 11-1, 11.12.1; APM 2 16.3). Shared by
 * the host's LAPIC and the virtual one.
 */
#ifndef HW_LAPIC_H
#define HW_LAPIC_H

#include "lib/types.h"

/* clang-format off */
#define APIC_DEFAULT_BASE	0xfee00000ull
#define APIC_MESSAGE_WINDOW	0x100000ull /* from there: interrupt messages */
#define APIC_ID			0x020
#define APIC_VERSION		0x030
#define APIC_TPR		0x080
#define APIC_APR		0x090
#define APIC_PPR		0x0a0
#define APIC_EOI		0x0b0
#define APIC_RRD		0x0c0
#define APIC_LDR		0x0d0
#define APIC_DFR		0x0e0	/* xAPIC only */
#define APIC_SVR		0x0f0
#define APIC_ISR		0x100	/* 8 registers, 10h apart */
#define APIC_TMR		0x180
#define APIC_IRR		0x200
#define APIC_ESR		0x280
#define APIC_LVT_CMCI		0x2f0
#define APIC_ICR_LOW		0x300	/* x2APIC: 64-bit MSR 830h */
#define APIC_ICR_HIGH		0x310	/* xAPIC only */
#define APIC_LVT_TIMER		0x320
#define APIC_LVT_THERMAL	0x330
#define APIC_LVT_PMC		0x340
#define APIC_LVT_LINT0		0x350
#define APIC_LVT_LINT1		0x360
#define APIC_LVT_ERROR		0x370
#define APIC_TIMER_ICT		0x380	/* initial count */
#define APIC_TIMER_CCT		0x390	/* current count */
#define APIC_TIMER_DCR		0x3e0	/* divide */
#define APIC_SELF_IPI		0x3f0	/* x2APIC only */

#define APIC_X2_MSR(offset)	(0x800u + ((offset) >> 4))

#define APIC_VERSION_MAXLVT(v)	(((v) >> 16) & 0xff)
#define APIC_ID_SHIFT		24	/* xAPIC */
#define APIC_DFR_FLAT		0xffffffffu
#define APIC_SVR_ENABLE		BIT(8)
#define APIC_SVR_FOCUS_OFF	BIT(9)
#define APIC_SVR_EOI_SUPPRESS	BIT(12)

#define APIC_LVT_MASKED		BIT(16)
#define APIC_LVT_LEVEL		BIT(15)
#define APIC_LVT_REMOTE_IRR	BIT(14)
#define APIC_LVT_ACTIVE_LOW	BIT(13)
#define APIC_LVT_PENDING	BIT(12)
#define APIC_LVT_TIMER_ONESHOT	(0ull << 17)
#define APIC_LVT_TIMER_PERIODIC	(1ull << 17)
#define APIC_LVT_TIMER_DEADLINE	(2ull << 17)
#define APIC_LVT_TIMER_MODE	BITS(18, 17)

/* Delivery modes: ICR and LVT bits 10:8 */
enum apic_delivery {
	APIC_DM_FIXED = 0, APIC_DM_LOWEST = 1, APIC_DM_SMI = 2, APIC_DM_NMI = 4,
	APIC_DM_INIT = 5, APIC_DM_STARTUP = 6, APIC_DM_EXTINT = 7,
};
#define APIC_DM_SHIFT		8
#define APIC_DM(mode)		((u64)(mode) << APIC_DM_SHIFT)
#define APIC_DM_GET(icr)	(((icr) >> APIC_DM_SHIFT) & 7)

#define APIC_ICR_LOGICAL	BIT(11)
#define APIC_ICR_BUSY		BIT(12)	/* xAPIC: delivery status */
#define APIC_ICR_ASSERT		BIT(14)
#define APIC_ICR_LEVEL		BIT(15)
#define APIC_ICR_SHORTHAND(icr)	(((icr) >> 18) & 3)
enum apic_shorthand {
	APIC_SH_NONE = 0, APIC_SH_SELF = 1, APIC_SH_ALL = 2, APIC_SH_OTHERS = 3,
};

#define APIC_DCR_BY_1		0xb
#define APIC_DCR_BY_16		0x3

#define APIC_ESR_SEND_ILLEGAL	BIT(5)
#define APIC_ESR_RECV_ILLEGAL	BIT(6)
#define APIC_ESR_REG_ILLEGAL	BIT(7)
/* clang-format on */

#endif
