/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages that are interrupts: address and data (SDM 3A 11.11 *Message
 * Signalled Interrupts*). The capabilities that hold them are in
 * include/hw/pci.h. */
#ifndef HW_MSI_H
#define HW_MSI_H

#include "lib/types.h"

/* clang-format off */
/* Address: 19:12 is the destination's 8 bits of APIC id */
#define MSI_ADDR_BASE		0xfee00000ull
#define MSI_ADDR_BYTES		0x100000ull
#define MSI_ADDR_MASK		0xfffffffffff00000ull
#define MSI_ADDR_DEST_SHIFT	12
#define MSI_ADDR_DEST_MAX	0xffu
#define MSI_ADDR_LOGICAL	BIT(2)
/* Under a hypervisor that offers it (BH_KVM_MSI_EXT_DEST_ID), 11:5 are 14:8 */
#define MSI_ADDR_DEST(addr)	((u32)((addr) >> 12 & 0xff) | \
				 (u32)((addr) >> 5 & 0x7f) << 8)

/* Data: the delivery mode (include/hw/lapic.h) is at 10:8 */
#define MSI_DATA_VECTOR		0xffull
/* clang-format on */

#endif
