/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual IOAPIC(s) of a VM: pins and registers; vioapic_units.c says which
 * units there are. Each unmasked pin of the privileged guest is routed to the
 * physical one (hv/irq/route.h). Called from exits (registers, EOI), from
 * virtual devices and from physical interrupts, on any core. Its lock protects
 * all of it; vioapic_priv.h has the order.
 */
#include "hv/irq/vioapic.h"

#include "arch/x86/cpu/nospec.h"
#include "drivers/irq/ioapic.h"
#include "hv/core/pc_map.h"
#include "hv/irq/lines.h"
#include "hv/irq/route.h"
#include "hv/irq/vioapic_priv.h"
#include "hv/irq/vlapic.h"
#include "hv/irq/vpic.h"
#include "include/hw/lapic.h"
#include "lib/bytes.h"
#include "lib/string.h"

/* Only fixed and lowest-priority interrupts have an EOI. The other modes are
 * edges, however they are programmed (82093AA 3.2.4, delivery mode). */
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
			return &u->pins[index_nospec(gsi - u->gsi_base,
						     u->pin_count)];
	}
	return NULL;
}

/* How many vLAPICs took it */
static u32 pin_send(struct vm *vm, struct vioapic_pin *pin)
{
	u64 rte = pin->rte;
	const struct vlapic_msg m = {
		.dest = RTE_DEST(rte),
		.logical = rte & RTE_LOGICAL,
		.mode = RTE_MODE(rte),
		.vector = (u8)(rte & RTE_VECTOR),
		.trigger = rte_is_level(rte) ? TRIGGER_LEVEL : TRIGGER_EDGE,
	};

	return vlapic_deliver(vm, &m, &pin->late);
}

/* A level-triggered pin sends while its line is up, once until the EOI (82093AA
 * 3.2.4, remote IRR). If nobody took it, there will be no EOI to wait for. */
static void pin_service_level(struct vm *vm, struct vioapic_pin *pin)
{
	u32 took;

	if (!pin->line || (pin->rte & (RTE_MASKED | RTE_REMOTE_IRR)) ||
	    !rte_is_level(pin->rte))
		return;
	took = pin_send(vm, pin);
	pin->waits = took == VLAPIC_WAITS;
	if (took)
		pin->rte |= RTE_REMOTE_IRR;
}

void vioapic_pin_unheard(struct vlapic_late *late, struct vm *vm)
{
	struct vioapic_pin *pin = container_of(late, struct vioapic_pin, late);
	struct vioapic *io = vioapic_of(vm);

	spin_lock(&io->lock);
	/* The guest may have written the RTE meanwhile, and to few vCPUs the
	 * pin was sent at once */
	if (pin->waits && !READ_ONCE(late->queued))
		pin->rte &= ~RTE_REMOTE_IRR;
	spin_unlock(&io->lock);
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
	v = vlapic_target(vm, RTE_DEST(rte), rte & RTE_LOGICAL);
	return v && vlapic_requested(v, (u8)(rte & RTE_VECTOR));
}

struct vcpu *vioapic_extint_target(struct vm *vm)
{
	u64 rte = pin_rte(vm, 0);

	if (rte & RTE_MASKED || RTE_MODE(rte) != APIC_DM_EXTINT)
		return NULL;
	return vlapic_target(vm, RTE_DEST(rte), rte & RTE_LOGICAL);
}

bool vioapic_extint(struct vm *vm, const struct vcpu *v)
{
	return vioapic_extint_target(vm) == v;
}

/* Let the physical pin follow the guest's RTE. A pin that cannot be routed
 * never fires: it is the hypervisor's, its mode is none that hardware sends
 * here, or no vector is left. */
static void pin_route(struct vioapic_unit *u, u32 n)
{
	struct vioapic_pin *pin = &u->pins[n];
	u32 gsi = u->gsi_base + n;
	bool was_routed = pin->routed;

	if (!vioapic_of(u->vm)->passthrough)
		return;
	if (!(pin->rte & RTE_MASKED)) {
		pin->routed = irq_route_pin(u->vm, gsi, pin->rte) == 0;
	} else if (was_routed) {
		irq_unroute_pin(u->vm, gsi);
		pin->routed = false;
	}
	/* The hardware will say again whether it is asserted */
	if (was_routed && !pin->routed)
		pin->line = false;
}

static void rte_write(struct vioapic_unit *u, u32 reg, u32 value)
{
	u32 n = (reg - IOREDTBL) / 2, shift = (reg & 1) * 32;
	struct vioapic_pin *pin;
	u64 mask = BITS(31, 0) << shift & RTE_WRITABLE;
	u64 old;

	if (n >= u->pin_count)
		return;
	pin = &u->pins[index_nospec(n, u->pin_count)];
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
	n = (u32)index_nospec(n, u->pin_count);
	return (u32)(u->pins[n].rte >> (u->regsel & 1) * 32);
}

static void reg_write(struct vioapic_unit *u, u32 value)
{
	if (u->regsel == IOAPICID)
		u->id = value >> IOAPICID_SHIFT & IOAPICID_MASK;
	else if (u->regsel >= IOREDTBL)
		rte_write(u, u->regsel, value);
}

/* A virtual device's pin may be sent again here, to VLAPIC_AT_ONCE vCPUs: that
 * is as dear as so many physical pins */
#define SENT_COSTS 4u

/* Pins from @n on that wait for the EOI of @vector, but no more than *@left.
 * Returns the first that was not looked at. */
static u32 unit_eoi(struct vioapic_unit *u, u8 vector, u32 n, u32 *left)
{
	for (; n < u->pin_count && *left; n++) {
		struct vioapic_pin *pin = &u->pins[n];

		if ((pin->rte & RTE_VECTOR) != vector ||
		    !(pin->rte & RTE_REMOTE_IRR))
			continue;
		*left -= MIN(*left, pin->routed ? 1u : SENT_COSTS);
		pin->rte &= ~RTE_REMOTE_IRR;
		if (pin->routed) {
			/* It is down until the hardware, now unmasked, says
			 * that it is still up */
			pin->line = false;
			irq_route_eoi(u->vm, u->gsi_base + n);
		}
		pin_service_level(u->vm, pin);
	}
	return n;
}

bool vioapic_eoi(struct vm *vm, u8 vector, u32 *next, u32 end)
{
	struct vioapic *io = vioapic_of(vm);
	u32 unit = *next / VIOAPIC_MAX_PINS, n = *next % VIOAPIC_MAX_PINS;
	u32 units = MIN(io->unit_count, end / VIOAPIC_MAX_PINS);
	u32 left = VIOAPIC_EOI_PINS;

	spin_lock(&io->lock);
	for (; unit < units; unit++, n = 0) {
		n = unit_eoi(io->units[unit], vector, n, &left);
		if (!left)
			break;
	}
	spin_unlock(&io->lock);
	*next = unit * VIOAPIC_MAX_PINS + n;
	return left;
}

u64 vioapic_unit_read(struct vcpu *v, void *dev, u64 offset, u8 size)
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

/* Its pins alone */
static void eoi_write(struct vcpu *v, const struct vioapic_unit *u, u8 vector)
{
	struct vioapic *io = vioapic_of(u->vm);
	u32 i = 0;

	while (io->units[i] != u)
		i++;
	vlapic_eoi_pins(v, vector, i * VIOAPIC_MAX_PINS,
			(i + 1) * VIOAPIC_MAX_PINS);
}

void vioapic_unit_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			u64 value)
{
	struct vioapic_unit *u = dev;
	struct vioapic *io = vioapic_of(u->vm);

	spin_lock(&io->lock);
	if (offset == IOREGSEL)
		u->regsel = (u32)value & 0xff;
	else if (offset == IOWIN && size == 4)
		reg_write(u, (u32)value);
	spin_unlock(&io->lock);
	if (offset == IOEOIR)
		eoi_write(v, u, (u8)value);
	if (offset == IOWIN && !io->passthrough)
		lines_unmasked(u->vm);
}
