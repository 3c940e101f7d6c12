/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical IOAPIC pins as they feed the vIOAPIC; see route.h, and msi.c for
 * messages. A pin's hardware mask is a function of three facts: the guest's RTE
 * (active), an arrival that the guest has not EOIed (held), and the throttle.
 * Rows are static and never freed, so that an interrupt in flight finds a valid
 * row.
 *
 * route_lock protects all rows. The vIOAPIC's lock may come before it, the
 * physical IOAPIC's comes after it.
 */
#include "hv/irq/route.h"

#include "arch/x86/cpu/nospec.h"
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/acpi/acpi.h"
#include "drivers/irq/ioapic.h"
#include "hv/core/vcpu.h"
#include "hv/irq/storm.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vlapic.h"
#include "include/hw/ioapic.h"
#include "include/hw/lapic.h"
#include "lib/errno.h"
#include "lib/log.h"

#define MAX_GSI 256u

/* Arrivals that a pin may have in a window. A level-triggered pin that nobody
 * serves has more; a busy device, with one interrupt for many packets, does
 * not. */
#define PIN_STORM_MAX 5000u

struct pin {
	struct vm *vm; /* NULL: not routed */
	u32 gsi;
	int vector;    /* the host's, kept once taken; 0: none yet */
	bool reserved; /* the hypervisor's own */
	bool active;   /* unmasked by the guest */
	bool level;
	bool held;   /* arrived, and not EOIed yet */
	bool masked; /* what the hardware has */
	struct storm storm;
};

static struct pin pins[MAX_GSI];
static struct spinlock route_lock;

static void pin_apply(struct pin *p)
{
	bool mask = !p->active || p->held || storm_throttled(&p->storm);

	if (mask == p->masked)
		return;
	p->masked = mask;
	if (mask)
		ioapic_mask(p->gsi);
	else
		ioapic_unmask(p->gsi);
}

static void pin_calm(struct storm *s)
{
	struct pin *p = container_of(s, struct pin, storm);

	spin_lock(&route_lock);
	storm_calm(s);
	pin_apply(p);
	spin_unlock(&route_lock);
}

/* The vector's handler, on the core that the pin is aimed at */
static void pin_arrived(void *arg)
{
	struct pin *p = arg;
	struct vm *vm;
	bool level, stormy;

	spin_lock(&route_lock);
	vm = p->active ? p->vm : NULL;
	level = p->level;
	stormy = vm && storm_count(&p->storm, PIN_STORM_MAX);
	p->held = vm && level;
	pin_apply(p);
	spin_unlock(&route_lock);
	if (stormy)
		storm_report(&p->storm, vm, "pin", p->gsi);
	if (!vm)
		return;
	vioapic_set_line(vm, p->gsi, true);
	if (!level)
		vioapic_set_line(vm, p->gsi, false);
}

static int pin_vector(struct pin *p, struct vm *vm)
{
	int vector;

	if (p->vector)
		return 0;
	vector = irq_alloc(pin_arrived, p);
	if (vector < 0) {
		if (ratelimit_pass(&vm->log_limit, rdtsc(), tsc_khz * 1000, 4))
			log_warn("irq", "no vector left for interrupt pin %u",
				 p->gsi);
		return vector;
	}
	p->vector = vector;
	return 0;
}

/* The core of the vCPU that the guest aims the pin at, or else of vCPU 0 */
static u32 target_apic_id(struct vm *vm, u64 rte)
{
	struct vcpu *v = vlapic_target(vm, (u32)(rte >> RTE_DEST_SHIFT),
				       rte & RTE_LOGICAL);

	if (!v)
		v = vm->vcpus[0];
	return v->entity.cpu->apic_id;
}

static int pin_program(struct pin *p, struct vm *vm, u64 rte)
{
	u32 mode = RTE_MODE(rte);
	bool level = rte & RTE_LEVEL;
	int err;

	/* The physical 8259 is masked for good: its pin has nothing to say */
	if (mode == APIC_DM_EXTINT || mode == APIC_DM_SMI)
		return -ENOTSUP;
	err = pin_vector(p, vm);
	if (err)
		return err;
	p->masked = true; /* with or without an error */
	err = ioapic_route(p->gsi, (u8)p->vector, target_apic_id(vm, rte),
			   level, rte & RTE_ACTIVE_LOW);
	if (err)
		return err;
	/* A pin that turns to edge has no EOI to wait for */
	if (!level)
		p->held = false;
	p->vm = vm;
	p->level = level;
	p->active = true;
	pin_apply(p);
	return 0;
}

static void pin_stop(struct pin *p)
{
	p->active = p->held = false;
	pin_apply(p);
	p->vm = NULL;
}

int irq_route_pin(struct vm *vm, u32 gsi, u64 rte)
{
	struct pin *p;
	int err;

	if (gsi >= MAX_GSI || gsi >= ioapic_gsi_count())
		return -ENODEV;
	p = &pins[index_nospec(gsi, MAX_GSI)];
	spin_lock(&route_lock);
	p->gsi = gsi;
	p->storm.calm = pin_calm;
	err = p->reserved ? -EBUSY : pin_program(p, vm, rte);
	/* The guest's RTE says otherwise: the old route ends, too */
	if (err && p->vm == vm)
		pin_stop(p);
	spin_unlock(&route_lock);
	return err;
}

void irq_unroute_pin(struct vm *vm, u32 gsi)
{
	struct pin *p;

	if (gsi >= MAX_GSI)
		return;
	p = &pins[index_nospec(gsi, MAX_GSI)];
	spin_lock(&route_lock);
	if (p->vm == vm)
		pin_stop(p);
	spin_unlock(&route_lock);
}

void irq_route_eoi(struct vm *vm, u32 gsi)
{
	struct pin *p;

	if (gsi >= MAX_GSI)
		return;
	p = &pins[index_nospec(gsi, MAX_GSI)];
	spin_lock(&route_lock);
	if (p->vm == vm) {
		p->held = false;
		pin_apply(p);
	}
	spin_unlock(&route_lock);
}

void irq_route_reserve(u32 gsi)
{
	if (gsi < MAX_GSI)
		pins[gsi].reserved = true;
}
