/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which UART a device path of UEFI's leads to, for the loader that looks at the
 * firmware's console. Boot core; no state, no lock.
 */
#ifndef BOOT_COMMON_DEVPATH_H
#define BOOT_COMMON_DEVPATH_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/*
 * What has the UART in the device path @path (UEFI 2.10, 10.3.4.15 *UART Device
 * Path*), into *@s: one of a PC's ports, by its ACPI name and number
 * (10.3.3 *ACPI Device Path*), or a PCI function, whose address the path does
 * not tell. False: it has no UART, or one that hangs on something else, as on
 * USB, or is not the first of its function.
 */
bool devpath_uart(const void *path, struct boot_serial *s);
/* The first I/O port of the ACPI resources at @list, of at most @bytes; 0:
 * there is none (ACPI 6.4, 6.4.2 *Small Resource Data Type*) */
u16 devpath_port(const void *list, u32 bytes);

#endif
