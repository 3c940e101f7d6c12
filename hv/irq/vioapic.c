/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual IOAPIC(s) of a VM. An isolated guest has one of 24 pins; the
 * privileged guest has one for each physical IOAPIC, with its address and GSIs,
 * so that the host's ACPI tables stay true, and each unmasked pin is routed to
 * the physical one (hv/irq/route.h). Called from exits (registers, EOI), from
 * virtual devices and from physical interrupts, on any core; under its lock.
 */
#include "hv/irq/vioapic.h"

#include "drivers/irq/ioapic.h"
#include "hv/core/pc_map.h"
#include "hv/irq/lines.h"
#include "hv/irq/route.h"
#include "hv/irq/vioapic_priv.h"
#include "hv/irq/vlapic.h"
#include "hv/irq/vpic.h"
#include "include/hw/lapic.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Only fixed and lowest-priority interrupts have an EOI: the other modes are
 * edges however they are programmed (82093AA 3.2.4, delivery mode) */
static bool rte_is_level(u64 rte)
{
	return (rte & RTE_LEVEL) && RTE_MODE(rte) <= APIC_DM_LOWEST;
}

static struct vioapic_pin *pin_find(struct vioapic *io, u32 gsi)
{
	u32 i;

	for (i = 0; i < io->unit_count; i++) {
		struct vioapic_unit *u = io->units[i];

		if (gsi >= u->gsi_base && gsi - u->gsi_base < u->pin_count)
			return &u->pins[gsi - u->gsi_base];
	}
	return NULL;
}

/* How many vLAPICs took it */
static u32 pin_send(struct vm *vm, const struct vioapic_pin *pin)
{
	u64 rte = pin->rte;

	return vlapic_deliver(vm, (u32)(rte >> RTE_DEST_SHIFT),
			      rte & RTE_LOGICAL, RTE_MODE(rte),
			      (u8)(rte & RTE_VECTOR),
			      rte_is_level(rte) ? TRIGGER_LEVEL : TRIGGER_EDGE);
}

/* A level pin sends while its line is up, once until the EOI (82093AA 3.2.4,
 * remote IRR). Nobody there to take it: it is not under way. */
static void pin_service_level(struct vm *vm, struct vioapic_pin *pin)
{
	if (!pin->line || (pin->rte & (RTE_MASKED | RTE_REMOTE_IRR)) ||
	    !rte_is_level(pin->rte))
		return;
	if (pin_send(vm, pin))
		pin->rte |= RTE_REMOTE_IRR;
}

static void pin_set(struct vm *vm, struct vioapic_pin *pin, bool level)
{
	bool rose = level && !pin->line;

	pin->line = level;
	if (rte_is_level(pin->rte))
		pin_service_level(vm, pin);
	else if (rose && !(pin->rte & RTE_MASKED))
		pin_send(vm, pin);
}

/* The same wire goes to the 8259, by its ISA number (ACPI 6.4, 5.2.12.5
 * *Interrupt Source Override Structure*) */
static void pic_follow(struct vm *vm, u32 gsi, bool level)
{
	u32 i;

	if (!vioapic_of(vm)->passthrough) {
		vpic_set_line(vm, gsi == PC_GSI_TIMER ? PC_IRQ_TIMER : gsi,
			      level);
		return;
	}
	for (i = 0; i < acpi.override_count; i++)
		if (acpi.overrides[i].gsi == gsi) {
			vpic_set_line(vm, acpi.overrides[i].isa_irq, level);
			return;
		}
	if (gsi < 16)
		vpic_set_line(vm, gsi, level);
}

void vioapic_set_source(struct vm *vm, u32 gsi, u32 source, bool level)
{
	struct vioapic *io = vioapic_of(vm);
	struct vioapic_pin *pin = pin_find(io, gsi);
	u8 bit = (u8)(1u << source);

	spin_lock(&io->lock);
	if (pin) {
		pin->sources =
			(u8)(level ? pin->sources | bit : pin->sources & ~bit);
		level = pin->sources;
		pin_set(vm, pin, level);
	}
	/* Under the lock, so that both controllers see one order */
	if (vpic_of(vm))
		pic_follow(vm, gsi, level);
	spin_unlock(&io->lock);
}

void vioapic_set_line(struct vm *vm, u32 gsi, bool level)
{
	vioapic_set_source(vm, gsi, 0, level);
}

/* The RTE of a pin as it is now; a missing pin is masked */
static u64 pin_rte(struct vm *vm, u32 gsi)
{
	const struct vioapic_pin *pin = pin_find(vioapic_of(vm), gsi);

	return pin ? READ_ONCE(pin->rte) : RTE_MASKED;
}

bool vioapic_pin_open(struct vm *vm, u32 gsi)
{
	return !(pin_rte(vm, gsi) & RTE_MASKED);
}

bool vioapic_pin_waits(struct vm *vm, u32 gsi)
{
	u64 rte = pin_rte(vm, gsi);
	struct vcpu *v;

	if (rte & RTE_MASKED || RTE_MODE(rte) > APIC_DM_LOWEST)
		return false;
	if (rte & RTE_LEVEL)
		return rte & RTE_REMOTE_IRR;
	v = vlapic_target(vm, (u32)(rte >> RTE_DEST_SHIFT), rte & RTE_LOGICAL);
	return v && vlapic_requested(v, (u8)(rte & RTE_VECTOR));
}

struct vcpu *vioapic_extint_target(struct vm *vm)
{
	u64 rte = pin_rte(vm, 0);

	if (rte & RTE_MASKED || RTE_MODE(rte) != APIC_DM_EXTINT)
		return NULL;
	return vlapic_target(vm, (u32)(rte >> RTE_DEST_SHIFT),
			     rte & RTE_LOGICAL);
}

bool vioapic_extint(struct vm *vm, const struct vcpu *v)
{
	return vioapic_extint_target(vm) == v;
}

/* Let the physical pin follow the guest's RTE. A pin that cannot be routed (it
 * belongs to the hypervisor, or no vector is left) just never fires. */
static void pin_route(struct vioapic_unit *u, u32 n)
{
	struct vioapic_pin *pin = &u->pins[n];
	u32 gsi = u->gsi_base + n;

	if (!vioapic_of(u->vm)->passthrough)
		return;
	if (!(pin->rte & RTE_MASKED)) {
		pin->routed = irq_route_pin(u->vm, gsi, pin->rte) == 0;
	} else if (pin->routed) {
		irq_unroute_pin(u->vm, gsi);
		pin->routed = false;
		/* What was asserted is the hardware's to say again */
		pin->line = false;
	}
}

static void rte_write(struct vioapic_unit *u, u32 reg, u32 value)
{
	u32 n = (reg - IOREDTBL) / 2, shift = (reg & 1) * 32;
	struct vioapic_pin *pin;
	u64 mask = BITS(31, 0) << shift & RTE_WRITABLE;
	u64 old;

	if (n >= u->pin_count)
		return;
	pin = &u->pins[n];
	old = pin->rte;
	pin->rte = merge_bits(old, (u64)value << shift, mask);
	/* Switching to edge clears remote IRR: Linux relies on it to end a
	 * stuck level interrupt */
	if (!rte_is_level(pin->rte))
		pin->rte &= ~RTE_REMOTE_IRR;
	if (pin->rte != old)
		pin_route(u, n);
	pin_service_level(u->vm, pin);
}

static u32 reg_read(const struct vioapic_unit *u)
{
	u32 n;

	switch (u->regsel) {
	case IOAPICID:
	case IOAPICARB:
		return u->id << IOAPICID_SHIFT;
	case IOAPICVER:
		return VIOAPIC_VERSION | (u->pin_count - 1)
						 << IOAPICVER_MAX_SHIFT;
	default:
		break;
	}
	n = (u->regsel - IOREDTBL) / 2;
	if (u->regsel < IOREDTBL || n >= u->pin_count)
		return 0;
	return (u32)(u->pins[n].rte >> (u->regsel & 1) * 32);
}

static void reg_write(struct vioapic_unit *u, u32 value)
{
	if (u->regsel == IOAPICID)
		u->id = value >> IOAPICID_SHIFT & IOAPICID_MASK;
	else if (u->regsel >= IOREDTBL)
		rte_write(u, u->regsel, value);
}

static void unit_eoi(struct vioapic_unit *u, u8 vector)
{
	u32 n;

	for (n = 0; n < u->pin_count; n++) {
		struct vioapic_pin *pin = &u->pins[n];

		if ((pin->rte & RTE_VECTOR) != vector ||
		    !(pin->rte & RTE_REMOTE_IRR))
			continue;
		pin->rte &= ~RTE_REMOTE_IRR;
		if (pin->routed) {
			/* Down until the hardware, now unmasked, says it is
			 * still up */
			pin->line = false;
			irq_route_eoi(u->vm, u->gsi_base + n);
		}
		pin_service_level(u->vm, pin);
	}
}

void vioapic_eoi(struct vm *vm, u8 vector)
{
	struct vioapic *io = vioapic_of(vm);
	u32 i;

	spin_lock(&io->lock);
	for (i = 0; i < io->unit_count; i++)
		unit_eoi(io->units[i], vector);
	spin_unlock(&io->lock);
}

static u64 mmio_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vioapic_unit *u = dev;
	struct vioapic *io = vioapic_of(u->vm);
	u64 value = 0;

	spin_lock(&io->lock);
	if (offset == IOREGSEL)
		value = u->regsel;
	else if (offset == IOWIN)
		value = reg_read(u);
	spin_unlock(&io->lock);
	return value & ones_of(size);
}

static void mmio_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct vioapic_unit *u = dev;
	struct vioapic *io = vioapic_of(u->vm);

	spin_lock(&io->lock);
	if (offset == IOREGSEL)
		u->regsel = (u32)value & 0xff;
	else if (offset == IOWIN && size == 4)
		reg_write(u, (u32)value);
	else if (offset == IOEOIR)
		unit_eoi(u, (u8)value);
	spin_unlock(&io->lock);
	if (offset == IOWIN && !io->passthrough)
		lines_unmasked(u->vm);
}

static int unit_add(struct vm *vm, u64 base, u32 id, u32 gsi_base, u32 pins)
{
	struct vioapic *io = vioapic_of(vm);
	struct bus_region region = {
		.base = base,
		.size = IOAPIC_BYTES,
		.name = "ioapic",
		.read = mmio_read,
		.write = mmio_write,
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
		if (err)
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

static void unit_reset(struct vioapic_unit *u)
{
	u32 n;

	u->regsel = 0;
	for (n = 0; n < u->pin_count; n++) {
		if (u->pins[n].routed)
			irq_unroute_pin(u->vm, u->gsi_base + n);
		u->pins[n] = (struct vioapic_pin){ .rte = RTE_MASKED };
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
