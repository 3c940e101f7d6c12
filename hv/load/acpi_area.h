/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a guest's own ACPI tables lie: one area that begins with the RSDP, so
 * that vm.acpi_rsdp says where it is. An isolated guest has it in the BIOS
 * area, where the classic scan also finds the RSDP (ACPI 6.4, 5.2.5.1). The
 * privileged guest has it in RAM of its own.
 */
#ifndef HV_LOAD_ACPI_AREA_H
#define HV_LOAD_ACPI_AREA_H

#include "hv/core/pc_map.h"

#define ACPI_AREA_BYTES    KIB(32)
#define ACPI_AREA_ISOLATED PC_BIOS_AREA

#endif
