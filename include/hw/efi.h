/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors of the firmware's memory map (UEFI, 7.2.3
 * *EFI_BOOT_SERVICES.GetMemoryMap()*), for who reads it without the firmware.
 * The types are enum boot_mem_type (include/bulkhead/boot_info.h). */
#ifndef HW_EFI_H
#define HW_EFI_H

#include "lib/types.h"

struct efi_descriptor {
	u32 type;
	u32 pad;
	u64 physical_start;
	u64 virtual_start;
	u64 page_count;
	u64 attribute;
};
static_assert(sizeof(struct efi_descriptor) == 40, "EFI_MEMORY_DESCRIPTOR");

#define EFI_MEMORY_SP      BIT(18) /* specific-purpose memory */
#define EFI_MEMORY_RUNTIME BIT(63)

#endif
