/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the virtual IOAPIC: registers (82093AA data sheet 3.0; ICH9 13.5)
 * and state. For vioapic.c and its unit test. */
#ifndef HV_IRQ_VIOAPIC_PRIV_H
#define HV_IRQ_VIOAPIC_PRIV_H

#include "arch/x86/cpu/spinlock.h"
#include "drivers/acpi/acpi.h"
#include "hv/irq/vioapic.h"

/* Memory-mapped registers, each 32 bits wide */
#define IOREGSEL     0x00u
#define IOWIN        0x10u
#define IOEOI        0x40u /* version 20h on */
#define IOAPIC_BYTES 0x1000u

/* Behind IOREGSEL/IOWIN */
#define IOAPIC_REG_ID      0x00u
#define IOAPIC_REG_VERSION 0x01u
#define IOAPIC_REG_ARB     0x02u
#define IOAPIC_REG_RTE     0x10u /* two registers a pin */
#define IOAPIC_VERSION     0x20u
#define IOAPIC_ID_MASK     0xfu /* bits 27:24 */

#define RTE_VECTOR      0xffull
#define RTE_MODE_SHIFT  8
#define RTE_MODE_LOWEST 1u /* 0: fixed */
#define RTE_MODE_EXTINT 7u
#define RTE_MODE(rte)   ((rte) >> RTE_MODE_SHIFT & 7)
#define RTE_LOGICAL     BIT(11)
#define RTE_STATUS      BIT(12) /* read-only */
#define RTE_ACTIVE_LOW  BIT(13)
#define RTE_REMOTE_IRR  BIT(14) /* read-only */
#define RTE_LEVEL       BIT(15)
#define RTE_MASKED      BIT(16)
#define RTE_DEST_SHIFT  56
#define RTE_READ_ONLY   (RTE_STATUS | RTE_REMOTE_IRR)
#define RTE_WRITABLE    ((BITS(16, 0) | BITS(63, 56)) & ~RTE_READ_ONLY)

#define VIOAPIC_ISOLATED_PINS 24u
#define VIOAPIC_MAX_PINS      120u

struct vioapic_pin {
	u64 rte;
	u8 sources;  /* who of those that share it asserts it */
	bool line;   /* asserted, whatever the polarity */
	bool routed; /* a physical pin feeds it (irq_route.h) */
};

/* One IOAPIC as the guest sees it */
struct vioapic_unit {
	struct vm *vm;
	u32 id, gsi_base, pin_count;
	u32 regsel;
	struct vioapic_pin pins[];
};

struct vioapic {
	/* Protects regsel, RTEs and lines of all units. Order: a device's lock
	 * (vUART) before it; irq_route's and the physical IOAPIC's after it. */
	struct spinlock lock;
	bool passthrough;
	u32 unit_count;
	struct vioapic_unit *units[ACPI_MAX_IOAPICS];
};

#endif
