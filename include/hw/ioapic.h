/* SPDX-License-Identifier: BSD-2-Clause */
/* IOAPIC registers (82093AA, 3.0 *Register Description*; ICH9, 13.5 for the EOI
 * register), for the driver and the virtual one */
#ifndef HW_IOAPIC_H
#define HW_IOAPIC_H

#include "lib/types.h"

/* clang-format off */
#define IOAPIC_DEFAULT_BASE	0xfec00000ull
#define IOAPIC_BYTES		0x1000u
/* Processors of Intel's have FEC00000h to FECFFFFFh for IOAPICs alone (their
 * datasheets, volume 2, *APIC Configuration Space*) */
#define IOAPIC_SPACE_BYTES	0x100000u
#define IOAPIC_MAX_PINS		240u

/* In the page, 32 bits wide (3.1) */
#define IOREGSEL		0x00u
#define IOWIN			0x10u
#define IOEOIR			0x40u	/* version 20h on */

/* Selected by IOREGSEL, read and written through IOWIN (3.2) */
#define IOAPICID		0x00u	/* 27:24 */
#define IOAPICVER		0x01u
#define IOAPICARB		0x02u
#define IOREDTBL		0x10u	/* two registers a pin */
#define IOREDTBL_LOW(pin)	(IOREDTBL + 2u * (pin))
#define IOREDTBL_HIGH(pin)	(IOREDTBL_LOW(pin) + 1u)

#define IOAPICID_SHIFT		24
#define IOAPICID_MASK		0xfu
#define IOAPICVER_MAX_SHIFT	16	/* number of the last entry */
#define IOAPICVER_PINS(v)	(((v) >> IOAPICVER_MAX_SHIFT & 0xff) + 1)

/* Redirection table entry (3.2.4). The delivery mode is as in the LAPIC's
 * (include/hw/lapic.h). */
#define RTE_VECTOR		BITS(7, 0)
#define RTE_MODE_SHIFT		8
#define RTE_MODE(rte)		((rte) >> RTE_MODE_SHIFT & 7)
#define RTE_LOGICAL		BIT(11)
#define RTE_STATUS		BIT(12)	/* read-only */
#define RTE_ACTIVE_LOW		BIT(13)
#define RTE_REMOTE_IRR		BIT(14)	/* read-only */
#define RTE_LEVEL		BIT(15)
#define RTE_MASKED		BIT(16)
#define RTE_DEST_SHIFT		56
/* Under a hypervisor that offers it (BH_KVM_MSI_EXT_DEST_ID), 55:49 are 14:8 of
 * the destination */
#define RTE_DEST(rte)		((u32)((rte) >> 56) | \
				 (u32)((rte) >> 49 & 0x7f) << 8)
#define RTE_READ_ONLY		(RTE_STATUS | RTE_REMOTE_IRR)
#define RTE_WRITABLE		((BITS(16, 0) | BITS(63, 49)) & ~RTE_READ_ONLY)
/* clang-format on */

#endif
