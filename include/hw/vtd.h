/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of an Intel IOMMU (VT-d 4.1, 11.4 *Register Descriptions*) */
#ifndef HW_VTD_H
#define HW_VTD_H

#include "lib/types.h"

#define VTD_CAP  0x08
#define VTD_ECAP 0x10
#define VTD_GSTS 0x1c

/* 11.4.4.2 *Global Status Register* */
#define VTD_GSTS_TES  BIT(31) /* DMA is remapped */
#define VTD_GSTS_IRES BIT(25) /* interrupts are */

/* 11.4.2: the fault recording registers, 16 bytes each */
#define VTD_CAP_FRO(cap) (((cap) >> 24 & 0x3ff) * 16)
#define VTD_CAP_NFR(cap) (((cap) >> 40 & 0xff) + 1)
/* 11.4.3: the IOTLB registers, 16 bytes */
#define VTD_ECAP_IRO(ecap) (((ecap) >> 8 & 0x3ff) * 16)

#endif
