/* SPDX-License-Identifier: BSD-2-Clause */
/* EFI programs that run before the loader or GRUB, which scripts/mkimage
 * --before calls LOADER.EFI: what they share. Boot core, boot services. */
#ifndef TESTS_FIRMWARE_BEFORE_H
#define TESTS_FIRMWARE_BEFORE_H

#include <efi.h>

#include "lib/types.h"

extern EFI_SYSTEM_TABLE *st;
extern EFI_BOOT_SERVICES *bs;

EFI_STATUS efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *table);
/* Sets st and bs and loads the image that is to be started next, to which
 * everything looks as if firmware had started it. NULL: there is none. */
EFI_HANDLE before_load(EFI_HANDLE self, EFI_SYSTEM_TABLE *table);
/* remap.c: turns the IOMMU on, if there is one */
void plant_remapping(void);
/* On the firmware's console */
void say(const char *text);

#endif
