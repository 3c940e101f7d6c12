/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What load_guest() takes of the hypervisor's pool at one time, so that it can
 * be set aside when a guest is made. It gives all of it back, but for fw_cfg's
 * items, which replace those of the last load. Pure; no locks.
 */
#include "hv/load/acpi_area.h"
#include "hv/load/acpi_tables.h"
#include "hv/load/load.h"
#include "hv/load/multiboot.h"
#include "include/hw/fwcfg.h"

#define PAGES(bytes) (1u << pmm_order(bytes))

/* The tables of ACPI while they are written, what a way in hands over, and a
 * page each for a zero page or start information, for the memory map, for
 * SMBIOS, and for the list of what is to be filled in; slabs */
#define DIRECT_PAGES (PAGES(ACPI_AREA_BYTES) + PAGES(MB_INFO_BYTES) + 6u)

/* The same tables, their loader script, and the copies that become files beside
 * the old ones; the list; small items in slabs */
#define FIRMWARE_PAGES (2 * (PAGES(ACPI_AREA_BYTES) + SCRIPT_PAGES) + 9u)
#define SCRIPT_PAGES                                                           \
	PAGES((2 + ACPI_MAX_POINTERS + ACPI_MAX_SUMS) *                        \
	      sizeof(struct loader_command))

/* A kernel's real-mode part, at most 256 sectors, and its copy (Linux boot) */
#define SETUP_PAGES (2 * PAGES(256 * 512u))

u32 load_pages(const struct guest_config *c)
{
	if (!firmware_name(c))
		return DIRECT_PAGES;
	return FIRMWARE_PAGES + (c->kernel[0] ? SETUP_PAGES : 0);
}
