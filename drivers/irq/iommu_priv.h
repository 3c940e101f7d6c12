/* SPDX-License-Identifier: BSD-2-Clause */
/* Between iommu.c (which units there are) and iommu_off.c (a unit is off) */
#ifndef DRIVERS_IRQ_IOMMU_PRIV_H
#define DRIVERS_IRQ_IOMMU_PRIV_H

#include "lib/types.h"

/* Turns off all that the unit at @base does, whose registers are mapped at
 * @regs, and logs what was on. False: it stays on, or a part of it. Boot CPU,
 * after tsc_init(). VT-d 4.1, 11.4.4 *Global Command Register*. */
bool __must_check vtd_off(u8 *regs, u64 base);
/* The same of AMD's. 48882 3.10, 3.4.2 *IOMMU Control Register*. */
bool __must_check amdvi_off(u8 *regs, u64 base);

#endif
