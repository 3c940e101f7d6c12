/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the virtual IOAPIC, for vioapic.c, vioapic_units.c and tests */
#ifndef HV_IRQ_VIOAPIC_PRIV_H
#define HV_IRQ_VIOAPIC_PRIV_H

#include "arch/x86/cpu/spinlock.h"
#include "drivers/acpi/acpi.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vlapic.h"
#include "include/hw/ioapic.h"

#define VIOAPIC_VERSION       0x20u /* with an EOI register */
#define VIOAPIC_ISOLATED_PINS 24u
#define VIOAPIC_MAX_PINS      120u

struct vioapic_pin {
	struct vlapic_late late; /* what it sends to many */
	u64 rte;
	u8 sources;  /* bit per source that asserts it */
	bool line;   /* asserted, whatever the polarity */
	bool routed; /* a physical pin feeds it (hv/irq/route.h) */
	bool waits;  /* what was sent last had to wait: nobody may take it */
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

static inline struct vioapic *vioapic_of(const struct vm *vm)
{
	return vm->devices[VDEV_vioapic];
}

/* What a pin sent to many vLAPICs was taken by none: there will be no EOI.
 * Takes the lock. */
void vioapic_pin_unheard(struct vlapic_late *late, struct vm *vm);
/* A unit's registers, @dev: for the MMIO bus. Take the lock. */
u64 vioapic_unit_read(struct vcpu *v, void *dev, u64 offset, u8 size);
void vioapic_unit_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			u64 value);

#endif
