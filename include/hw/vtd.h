/* SPDX-License-Identifier: BSD-2-Clause */
/* An Intel IOMMU: registers (VT-d 4.1, 11.4 *Register Descriptions*) and tables
 * (9 *Translation Structure Formats*) */
#ifndef HW_VTD_H
#define HW_VTD_H

#include "lib/types.h"

#define VTD_VER    0x00
#define VTD_CAP    0x08
#define VTD_ECAP   0x10
#define VTD_GCMD   0x18
#define VTD_GSTS   0x1c
#define VTD_RTADDR 0x20
#define VTD_CCMD   0x28
#define VTD_FECTL  0x38
#define VTD_FEDATA 0x3c
#define VTD_FEADDR 0x40 /* 64 bits, of which FEUADDR is the upper half */
#define VTD_PMEN   0x64
#define VTD_IQH    0x80
#define VTD_IQT    0x88

/* 11.4.1; the major version is 1 at least */
#define VTD_VER_MAJOR    BITS(7, 4)
#define VTD_VER_RESERVED BITS(31, 8)

/* 11.4.2 */
#define VTD_CAP_SAGAW_48   BIT(10) /* four levels */
#define VTD_CAP_MGAW(bits) ((u64)((bits)-1) << 16)
#define VTD_CAP_2M         BIT(34) /* large pages of the second level */
#define VTD_CAP_1G         BIT(35)
/* Where the fault recording registers are, 16 bytes each */
#define VTD_CAP_FRO_AT(offset) ((u64)(offset) / 16 << 24)
#define VTD_CAP_FRO(cap)       (((cap) >> 24 & 0x3ff) * 16)
#define VTD_CAP_NFR(cap)       (((cap) >> 40 & 0xff) + 1)
#define VTD_CAP_PLMR           BIT(5) /* protected memory, low and high */
#define VTD_CAP_PHMR           BIT(6)
/* 11.4.3; the IOTLB registers, 16 bytes */
#define VTD_ECAP_COHERENT       BIT(0) /* it looks into caches */
#define VTD_ECAP_IRO_AT(offset) ((u64)(offset) / 16 << 8)
#define VTD_ECAP_IRO(ecap)      (((ecap) >> 8 & 0x3ff) * 16)

/* 11.4.4.1, 11.4.4.2: the same bits in command and status */
#define VTD_G_TE  BIT(31) /* translation */
#define VTD_G_RTP BIT(30) /* take the root table pointer */
#define VTD_G_QIE BIT(26) /* queued invalidation */
#define VTD_G_IRE BIT(25) /* interrupt remapping */
#define VTD_G_CFI BIT(23) /* interrupts of the old format pass */
/* Those of the status that a command repeats; the others do something once */
#define VTD_G_LASTING 0x96ffffffu

/* 11.4.4.1, 11.4.6.1: of the commands' upper halves. Clear: done */
#define VTD_CCMD_ICC  BIT(63)
#define VTD_IOTLB_IVT BIT(63)
#define VTD_IOTLB_CMD 8 /* behind the address register of the pair */
/* 11.4.7.2 */
#define VTD_FECTL_MASK BIT(31)

/* 9.1, 9.3: root and context entries, 16 bytes, of which the first 8 say where
 * the table below is; 256 of each in a page */
#define VTD_ENTRY_BYTES 16u
#define VTD_PRESENT     BIT(0)
#define VTD_TABLE       BITS(63, 12)
#define VTD_ROOT_LEGACY BITS(11, 10) /* of RTADDR: 0 is the legacy mode */
#define VTD_CONTEXT_TT  BITS(3, 2)   /* 0: untranslated requests alone */
#define VTD_CONTEXT_AW  BITS(2, 0)   /* of the second 8 bytes */
#define VTD_AW_48       2u

/* 9.8 *Second-Stage Paging Entries* */
#define VTD_SL_READ  BIT(0)
#define VTD_SL_WRITE BIT(1)
#define VTD_SL_LARGE BIT(7) /* 2 MiB or 1 GiB */

/* 11.4.8.1 */
#define VTD_PMEN_EPM BIT(31)
#define VTD_PMEN_PRS BIT(0)

/* 11.4.9.1, 11.4.9.2: offset in the queue */
#define VTD_IQ_OFFSET 0x7fff0u

#endif
