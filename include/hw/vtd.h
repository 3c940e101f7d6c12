/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of an Intel IOMMU (VT-d 4.1, 11.4 *Register Descriptions*) */
#ifndef HW_VTD_H
#define HW_VTD_H

#include "lib/types.h"

#define VTD_CAP  0x08
#define VTD_ECAP 0x10
#define VTD_GCMD 0x18
#define VTD_GSTS 0x1c
#define VTD_PMEN 0x64
#define VTD_IQH  0x80
#define VTD_IQT  0x88

/* 11.4.2: the fault recording registers, 16 bytes each */
#define VTD_CAP_FRO(cap) (((cap) >> 24 & 0x3ff) * 16)
#define VTD_CAP_NFR(cap) (((cap) >> 40 & 0xff) + 1)
#define VTD_CAP_PLMR     BIT(5) /* protected memory, low and high */
#define VTD_CAP_PHMR     BIT(6)
/* 11.4.3: the IOTLB registers, 16 bytes */
#define VTD_ECAP_IRO(ecap) (((ecap) >> 8 & 0x3ff) * 16)

/* 11.4.4.1, 11.4.4.2: the same bits in command and status */
#define VTD_G_TE  BIT(31) /* translation */
#define VTD_G_QIE BIT(26) /* queued invalidation */
#define VTD_G_IRE BIT(25) /* interrupt remapping */
#define VTD_G_CFI BIT(23) /* interrupts of the old format pass */
/* Those of the status that a command repeats; the others do something once */
#define VTD_G_LASTING 0x96ffffffu

/* 11.4.8.1 */
#define VTD_PMEN_EPM BIT(31)
#define VTD_PMEN_PRS BIT(0)

/* 11.4.9.1, 11.4.9.2: offset in the queue */
#define VTD_IQ_OFFSET 0x7fff0u

#endif
