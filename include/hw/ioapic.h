/* SPDX-License-Identifier: BSD-2-Clause */
/* IOAPIC registers (82093AA data sheet, 3), for the driver and the virtual one
 */
#ifndef HW_IOAPIC_H
#define HW_IOAPIC_H

#include "lib/types.h"

/* clang-format off */
#define IOAPIC_DEFAULT_BASE	0xfec00000ull
#define IOAPIC_BYTES		PAGE_SIZE
#define IOAPIC_MAX_PINS		240u

/* In the page */
#define IOAPIC_REGSEL		0x00
#define IOAPIC_WIN		0x10
#define IOAPIC_EOI		0x40	/* version 20h on */

/* Selected by IOREGSEL */
#define IOAPIC_ID		0x00
#define IOAPIC_VERSION		0x01
#define IOAPIC_ARB		0x02
#define IOAPIC_RTE(pin)		(0x10u + 2u * (pin))	/* low, then high */

#define IOAPIC_VERSION_PINS(v)	(((v) >> 16 & 0xff) + 1)

/* Redirection table entry */
#define RTE_VECTOR		BITS(7, 0)
#define RTE_DELIVERY_SHIFT	8
#define RTE_LOGICAL		BIT(11)
#define RTE_PENDING		BIT(12)
#define RTE_ACTIVE_LOW		BIT(13)
#define RTE_REMOTE_IRR		BIT(14)
#define RTE_LEVEL		BIT(15)
#define RTE_MASKED		BIT(16)
#define RTE_DEST_SHIFT		56
/* clang-format on */

#endif
