/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of an AMD IOMMU (48882 3.10, 3.4 *IOMMU MMIO Registers*) */
#ifndef HW_AMD_IOMMU_H
#define HW_AMD_IOMMU_H

#include "lib/types.h"

#define AMD_IOMMU_CONTROL 0x18
#define AMD_IOMMU_ENABLE  BIT(0)

#endif
