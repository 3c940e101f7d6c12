/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an isolated guest's platform says of itself. A guest that is started at
 * its kernel finds it in the BIOS area; for a firmware it is files of fw_cfg,
 * which that puts in place. Called by load_guest(); no locks.
 */
#ifndef HV_LOAD_PLATFORM_H
#define HV_LOAD_PLATFORM_H

#include "hv/load/load.h"

/* The BIOS's date: SMBIOS has the long form, F000:FFF5 the short one */
#define PLATFORM_DATE       "01/01/2026"
#define PLATFORM_DATE_SHORT "01/01/26"

/* Add the tables of acpi_build() as files etc/acpi/rsdp, etc/acpi/tables and
 * etc/table-loader. -ENOMEM; -ENOSPC: they, or one more file, do not fit. */
int __must_check acpi_publish(struct vm *vm);
/* Write what a BIOS leaves: vectors and the code they lead to, the data areas
 * at 400h and below 640 KiB, the reset vector. -EFAULT: there is no RAM. */
int __must_check bios_area_write(struct vm *vm);
/* Write SMBIOS 3.0 and 2.8 to F0000h. -EFAULT: there is no RAM; -ENOMEM;
 * -ENOSPC: the records do not fit. */
int __must_check smbios_write(struct vm *vm);
/* Add them as files etc/smbios/smbios-anchor and etc/smbios/smbios-tables.
 * -ENOMEM, -ENOSPC. */
int __must_check smbios_publish(struct vm *vm);

#endif
