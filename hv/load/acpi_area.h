/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a guest's own ACPI tables lie: one area that begins with the RSDP, so
 * that vm.acpi_rsdp says where it is. An isolated guest has it in the BIOS
 * area, where the classic scan also finds the RSDP (ACPI 6.4, 5.2.5.1). The
 * privileged guest has it in RAM of its own.
 */
#ifndef HV_LOAD_ACPI_AREA_H
#define HV_LOAD_ACPI_AREA_H

#include "drivers/acpi/acpi.h"
#include "hv/core/pc_map.h"
#include "hv/core/vm.h"

#define ACPI_AREA_BYTES KIB(32)
/* What an SRAT takes for each vCPU, range of memory and initiator, at most */
#define ACPI_AREA_ENTRY    40u
#define ACPI_AREA_ISOLATED PC_BIOS_AREA

static inline u32 acpi_area_bytes(const struct vm *vm)
{
	u32 entries = vm->vcpu_count + acpi.numa.range_count +
		      acpi.numa.initiator_count;

	if (!vm->privileged || !acpi.numa.node_count)
		return ACPI_AREA_BYTES;
	return ACPI_AREA_BYTES +
	       (u32)ALIGN_UP(entries * ACPI_AREA_ENTRY, PAGE_SIZE);
}

#endif
