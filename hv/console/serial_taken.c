/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where no UART can be, because something else is there: a table that is wrong
 * must not have the hypervisor write to it. Called by serial.c at boot, before
 * the devices' drivers keep their registers. No lock.
 */
#include "drivers/acpi/acpi.h"
#include "drivers/pci/address.h"
#include "hv/console/priv.h"
#include "include/hw/acpi.h"
#include "include/hw/acpi_pm.h"
#include "include/hw/hpet.h"
#include "include/hw/pci.h"
#include "include/hw/uart16550.h"
#include "mm/owner.h"

#define PM_EVT_PORTS 4u
#define PM_TMR_PORTS 4u
#define SMI_PORTS    2u

static bool overlap(u64 a, u64 a_bytes, u64 b, u64 b_bytes)
{
	return b_bytes && a < b + b_bytes && b < a + a_bytes;
}

/* Do these ports belong to the board, or to its power management? */
static bool ports_are_taken(u64 base)
{
	const struct {
		u64 port, count;
	} taken[] = {
		{ 0, 0x100 }, /* the board's devices of old */
		{ 0x1f0, 8 }, /* ATA */
		{ 0x170, 8 },
		{ 0x3b0, 0x30 }, /* VGA */
		{ PCI_PORT_ADDRESS, 8 },
		{ acpi.pm1a_evt, acpi.pm1a_evt ? PM_EVT_PORTS : 0 },
		{ acpi.pm1a_cnt, acpi.pm1a_cnt ? PM1_CNT_BYTES : 0 },
		{ acpi.pm1b_cnt, acpi.pm1b_cnt ? PM1_CNT_BYTES : 0 },
		{ acpi.pm_timer, acpi.pm_timer ? PM_TMR_PORTS : 0 },
		{ acpi.smi_cmd, acpi.smi_cmd ? SMI_PORTS : 0 },
		{ acpi.reset.address,
		  acpi.has_reset && acpi.reset.space == ACPI_SPACE_IO },
	};

	for (u32 i = 0; i < ARRAY_SIZE(taken); i++)
		if (overlap(base, UART_PORTS, taken[i].port, taken[i].count))
			return true;
	return false;
}

static bool is_interrupt_page(u64 base, u64 bytes)
{
	if (overlap(base, bytes, acpi.lapic_base, PAGE_SIZE))
		return true;
	for (u32 i = 0; i < acpi.ioapic_count; i++)
		if (overlap(base, bytes, acpi.ioapics[i].base, PAGE_SIZE))
			return true;
	return false;
}

/* Is it memory, or registers that the hypervisor has a driver for? */
static bool memory_is_taken(u64 base, u64 bytes)
{
	enum owner_kind kind = owner_find(HPA(base)).kind;

	if (base >= BIT(52) || (kind != OWNER_DEVICE && kind != OWNER_FIRMWARE))
		return true;
	for (u32 i = 0; i < acpi.hpet_count; i++)
		if (overlap(base, bytes, acpi.hpets[i], HPET_BYTES))
			return true;
	for (u32 i = 0; i < acpi.iommu_count; i++)
		if (overlap(base, bytes, acpi.iommus[i].base,
			    acpi.iommus[i].size))
			return true;
	for (u32 i = 0; i < acpi.ecam_count; i++) {
		const struct acpi_ecam *e = &acpi.ecam[i];

		if (overlap(base, bytes,
			    e->base + e->bus_first * PCI_ECAM_BUS_BYTES,
			    (e->bus_last - e->bus_first + 1u) *
				    PCI_ECAM_BUS_BYTES))
			return true;
	}
	return is_interrupt_page(base, bytes);
}

bool serial_is_taken(const struct uart_place *at)
{
	return at->space == UART_IN_PORTS
		       ? ports_are_taken(at->base)
		       : memory_is_taken(at->base,
					 (u64)UART_PORTS * at->stride);
}
