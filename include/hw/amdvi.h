/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of an AMD IOMMU (48882 3.10, 3.4 *IOMMU MMIO Registers*) */
#ifndef HW_AMDVI_H
#define HW_AMDVI_H

#include "lib/types.h"

#define AMDVI_CONTROL 0x18
#define AMDVI_STATUS  0x2020

/* 3.4.2, *IOMMU Control Register* */
#define AMDVI_IOMMU_EN     BIT(0)
#define AMDVI_EVENT_LOG_EN BIT(2)
#define AMDVI_EVENT_INT_EN BIT(3)
#define AMDVI_WAIT_INT_EN  BIT(4)
#define AMDVI_CMD_BUF_EN   BIT(12)
#define AMDVI_PPR_LOG_EN   BIT(13)
#define AMDVI_PPR_INT_EN   BIT(14)
#define AMDVI_PPR_EN       BIT(15)
#define AMDVI_GA_LOG_EN    BIT(28)
#define AMDVI_GA_INT_EN    BIT(29)

/* 3.4.17, *IOMMU Status Register*: what still runs */
#define AMDVI_EVENT_LOG_RUN BIT(3)
#define AMDVI_CMD_BUF_RUN   BIT(4)
#define AMDVI_PPR_LOG_RUN   BIT(7)
#define AMDVI_GA_LOG_RUN    BIT(8)

#endif
