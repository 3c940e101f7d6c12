/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware's memory map as the privileged guest sees it (UEFI 2.10, 7.2
 * EFI_BOOT_SERVICES.GetMemoryMap()): what belongs to the hypervisor and to
 * other guests is EfiReservedMemoryType. Used by bzimage.c.
 */
#ifndef HV_LOAD_EFI_MAP_H
#define HV_LOAD_EFI_MAP_H

#include "hv/load/place.h"
#include "include/hw/efi.h"

/* Bytes to set aside for the rewritten map; 0: not started by UEFI. At boot. */
u64 efi_map_bytes(void);
/* Write the map to @gpa; @used, the boot area, becomes EfiLoaderData. *@size is
 * the room in bytes, on return what was used. At boot, no locks. -EINVAL: not
 * started by UEFI; -ENOSPC: the room is too small; -EFAULT: it is not RAM. */
int __must_check efi_map_write(struct vm *vm, u64 gpa,
			       const struct place_range *used, u64 *size);

#endif
