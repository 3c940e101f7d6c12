/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which IOAPICs a VM has. An isolated guest has one of 24 pins. The privileged
 * guest has one for each physical IOAPIC, with its address and GSIs, so that
 * the host's ACPI tables stay true. Called when a VM is built, reset and
 * destroyed, while no vCPU of it runs.
 */
#include "drivers/irq/ioapic.h"
#include "hv/core/pc_map.h"
#include "hv/irq/route.h"
#include "hv/irq/vioapic_priv.h"
#include "lib/errno.h"
#include "lib/log.h"

static int unit_add(struct vm *vm, u64 base, u32 id, u32 gsi_base, u32 pins)
{
	struct vioapic *io = vioapic_of(vm);
	struct bus_region region = {
		.base = base,
		.size = IOAPIC_BYTES,
		.name = "ioapic",
		.read = vioapic_unit_read,
		.write = vioapic_unit_write,
	};
	struct vioapic_unit *u;
	size_t bytes = sizeof(*u) + pins * sizeof(u->pins[0]);
	int err;

	if (io->unit_count >= ACPI_MAX_IOAPICS)
		return -ENOSPC;
	u = kmem_alloc(&vm->budget, bytes);
	if (!u)
		return -ENOMEM;
	u->vm = vm;
	u->id = id;
	u->gsi_base = gsi_base;
	u->pin_count = pins;
	region.dev = u;
	err = bus_add(&vm->mmio, &region);
	if (err) {
		kmem_free(&vm->budget, u, bytes);
		return err;
	}
	io->units[io->unit_count++] = u;
	return 0;
}

/* The GSI after @i's last one: where the next IOAPIC's begin */
static u32 host_gsi_end(u32 i)
{
	u32 j, end = ioapic_gsi_count();

	for (j = 0; j < acpi.ioapic_count; j++) {
		u32 base = acpi.ioapics[j].gsi_base;

		if (base > acpi.ioapics[i].gsi_base && base < end)
			end = base;
	}
	return end;
}

static int units_from_host(struct vm *vm)
{
	u32 i, pins;
	int err;

	for (i = 0; i < acpi.ioapic_count; i++) {
		const struct acpi_ioapic *h = &acpi.ioapics[i];
		u32 end = host_gsi_end(i);

		if (end <= h->gsi_base)
			continue;
		pins = MIN(end - h->gsi_base, VIOAPIC_MAX_PINS);
		err = unit_add(vm, h->base, h->id, h->gsi_base, pins);
		if (err == -EEXIST)
			log_warn("ioapic",
				 "the IOAPIC at %#llx is where another device "
				 "is: its interrupts will not arrive",
				 h->base);
		else if (err)
			return err;
	}
	return 0;
}

static int units_create(struct vm *vm, bool passthrough)
{
	u32 pins = VIOAPIC_ISOLATED_PINS;
	u64 base = VIOAPIC_BASE;

	if (passthrough && acpi.ioapic_count)
		return units_from_host(vm);
	if (passthrough && ioapic_gsi_count())
		pins = MIN(ioapic_gsi_count(), VIOAPIC_MAX_PINS);
	return unit_add(vm, base, 0, 0, pins);
}

/* Its place in vm.late is not the pin's to give up */
static void pin_clear(struct vioapic_pin *pin)
{
	pin->rte = RTE_MASKED;
	pin->sources = 0;
	pin->line = pin->routed = pin->waits = false;
	pin->late.nobody = vioapic_pin_unheard;
}

static void unit_reset(struct vioapic_unit *u)
{
	u32 n;

	u->regsel = 0;
	for (n = 0; n < u->pin_count; n++) {
		if (u->pins[n].routed)
			irq_unroute_pin(u->vm, u->gsi_base + n);
		pin_clear(&u->pins[n]);
	}
}

static void vioapic_reset(struct vm *vm)
{
	struct vioapic *io = vioapic_of(vm);
	u32 i;

	spin_lock(&io->lock);
	for (i = 0; i < io->unit_count; i++)
		unit_reset(io->units[i]);
	spin_unlock(&io->lock);
}

static void vioapic_destroy(struct vm *vm)
{
	struct vioapic *io = vioapic_of(vm);
	u32 i;

	vioapic_reset(vm);
	for (i = 0; i < io->unit_count; i++) {
		struct vioapic_unit *u = io->units[i];

		kmem_free(&vm->budget, u,
			  sizeof(*u) + u->pin_count * sizeof(u->pins[0]));
	}
	kmem_free(&vm->budget, io, sizeof(*io));
}

static int vioapic_create(struct vm *vm)
{
	struct vioapic *io = kmem_alloc(&vm->budget, sizeof(*io));
	int err;

	if (!io)
		return -ENOMEM;
	vm->devices[VDEV_vioapic] = io;
	io->passthrough = vm->privileged;
	err = units_create(vm, io->passthrough);
	if (!err)
		vioapic_reset(vm);
	return err;
}

const struct vdev vioapic_vdev = {
	.name = "IOAPIC",
	.create = vioapic_create,
	.destroy = vioapic_destroy,
	.reset = vioapic_reset,
};
