/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOMMUs, which remap the messages of all devices: so far, only out of
 * reach of guests */
#ifndef DRIVERS_IRQ_IOMMU_H
#define DRIVERS_IRQ_IOMMU_H

/* The registers of every IOMMU that ACPI's DMAR or IVRS names are nobody else's
 * from now on. Boot CPU, once, after acpi_init(). */
void iommu_keep_all(void);

#endif
