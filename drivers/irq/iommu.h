/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOMMUs, which remap DMA and messages of all devices: so far, turned off
 * and out of reach of guests */
#ifndef DRIVERS_IRQ_IOMMU_H
#define DRIVERS_IRQ_IOMMU_H

#include "lib/types.h"

/* The registers of every IOMMU that ACPI's DMAR or IVRS names are nobody else's
 * from now on, and it is off. -EIO: one stays on, or one cannot be looked at,
 * which is logged: devices may reach what they like, and no interrupt of one
 * can be trusted to arrive. Boot CPU, once, after acpi_init() and tsc_init();
 * some 200 ms for each step that a unit does not do. */
int __must_check iommu_take_all(void);

#endif
