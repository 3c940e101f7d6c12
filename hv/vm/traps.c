/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What exits of a guest that is being made: its bitmaps of MSRs and ports, and
 * the buses that ports and MMIO are looked up in. Called by create.c, under its
 * lock.
 */
#include "hv/vm/traps.h"

#include "drivers/acpi/acpi.h"
#include "hv/irq/vlapic.h"
#include "hv/policy/msr.h"
#include "include/hw/lapic.h"
#include "include/hw/msi.h"
#include "lib/errno.h"
#include "lib/string.h"

#define PORT_REGIONS      64
#define MMIO_REGIONS      64
#define HOST_MMIO_REGIONS 1024 /* network cards have 128 VFs */

/* A set bit intercepts, in the bitmaps of both vendors */
int traps_create_bitmaps(struct vm *vm)
{
	u64 msr_bytes = vcpu_ops->msr_bitmap_pages * PAGE_SIZE;
	u64 port_bytes = vcpu_ops->port_bitmap_pages * PAGE_SIZE;
	struct vm_intercepts *in = &vm->intercepts;

	in->msr_bitmap = pmm_alloc_bytes(&vm->budget, msr_bytes);
	in->port_bitmap = pmm_alloc_bytes(&vm->budget, port_bytes);
	if (!in->msr_bitmap || !in->port_bitmap)
		return -ENOMEM;
	memset(in->msr_bitmap, 0xff, msr_bytes);
	memset(in->port_bitmap, vm->privileged ? 0 : 0xff, port_bytes);
	msr_build_bitmap(vm);
	return 0;
}

/* A write here is an interrupt message on some chipsets (and QEMU's), whoever
 * makes it: the privileged guest must not reach it as a device (SDM 3A 11.11.1)
 */
static int hide_message_window(struct vm *vm)
{
	const struct bus_region window = {
		.base = MSI_ADDR_BASE + PAGE_SIZE,
		.size = MSI_ADDR_BYTES - PAGE_SIZE,
		.name = "messages",
	};

	return bus_add(&vm->mmio, &window);
}

/* A trap for each MSI-X table, and for what firmware lists of the board */
static u32 mmio_regions(const struct vm *vm)
{
	if (!vm->privileged)
		return MMIO_REGIONS;
	return HOST_MMIO_REGIONS + acpi.ecam_count + acpi.ioapic_count +
	       acpi.hpet_count;
}

int traps_create_buses(struct vm *vm)
{
	const struct bus_region lapic = {
		.base = APIC_DEFAULT_BASE,
		.size = PAGE_SIZE,
		.name = "vLAPIC",
		.read = vlapic_mmio_read,
		.write = vlapic_mmio_write,
	};
	int err = bus_init(&vm->ports, &vm->budget, PORT_REGIONS);

	if (!err)
		err = bus_make_index(&vm->ports, &vm->budget);
	if (!err)
		err = bus_init(&vm->mmio, &vm->budget, mmio_regions(vm));
	if (!err)
		err = bus_add(&vm->mmio, &lapic);
	return err ? err : hide_message_window(vm);
}

/* The privileged guest has all ports but those of virtual devices */
void traps_devices_made(struct vm *vm)
{
	for (u32 i = 0; vm->privileged && i < vm->ports.count; i++) {
		const struct bus_region *r = &vm->ports.regions[i];

		for (u64 port = r->base; port < r->base + r->size; port++)
			vcpu_ops->intercept_port(&vm->intercepts, (u16)port,
						 INTERCEPT_ON);
	}
}

void traps_destroy(struct vm *vm)
{
	struct vm_intercepts *in = &vm->intercepts;

	pmm_free_bytes(&vm->budget, in->msr_bitmap,
		       vcpu_ops->msr_bitmap_pages * PAGE_SIZE);
	pmm_free_bytes(&vm->budget, in->port_bitmap,
		       vcpu_ops->port_bitmap_pages * PAGE_SIZE);
	bus_destroy(&vm->ports, &vm->budget);
	bus_destroy(&vm->mmio, &vm->budget);
}
