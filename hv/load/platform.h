/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an isolated guest's platform says of itself, in the two ways it may get
 * there: in the BIOS area of a guest that is started at its kernel, or as files
 * of fw_cfg for a firmware that puts it in place. Called by load_guest().
 */
#ifndef HV_LOAD_PLATFORM_H
#define HV_LOAD_PLATFORM_H

#include "hv/load/load.h"

/* Files etc/acpi/rsdp, etc/acpi/tables, etc/table-loader: the tables of
 * acpi_build(). -ENOMEM, -ENOSPC */
int __must_check acpi_publish(struct vm *vm);
/* SMBIOS 3.0 and 2.8 at F0000h. -EFAULT: too little RAM; -ENOMEM */
int __must_check smbios_write(struct vm *vm);
/* Files etc/smbios/smbios-anchor, etc/smbios/smbios-tables */
int __must_check smbios_publish(struct vm *vm);

#endif
