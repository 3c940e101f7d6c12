/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical IOAPIC pins as they feed the vIOAPIC; see route.h, and msi.c for
 * messages. A pin's hardware mask is a function of three facts: the guest's RTE
 * (active), an arrival that the guest has not EOIed (held), and the throttle.
 * Rows are made for some pins at a time and never freed, so that an interrupt
 * in flight finds a valid row.
 *
 * route_lock protects all rows. The vIOAPIC's lock may come before it; the
 * physical IOAPIC's, pmm's and kmem's come after it.
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
#include "lib/printf.h"
#include "mm/pmm.h"

/* Arrivals that a pin may have in a window. A level-triggered pin that nobody
 * serves has more; a busy device, with one interrupt for many packets, does
 * not. */
#define PIN_STORM_MAX 5000u

struct pin {
	struct irq irq;
	struct vm *vm; /* NULL: not routed */
	u32 gsi;
	int vector;    /* the host's of all cores, kept; 0: none yet */
	bool reserved; /* the hypervisor's own */
	bool active;   /* unmasked by the guest */
	bool level;
	bool active_low;
	bool held;   /* arrived, and not EOIed yet */
	bool masked; /* what the hardware has */
	struct storm storm;
};

#define BLOCK_BYTES KMEM_MAX
#define BLOCK_PINS  (BLOCK_BYTES / sizeof(struct pin))
#define PIN_BLOCKS  (IOAPIC_GSI_END / BLOCK_PINS + 1)

static struct pin *blocks[PIN_BLOCKS]; /* NULL: none of its pins was routed */
static struct spinlock route_lock;
static u64 changes; /* of who has a pin */

/* The row of @gsi, whatever the guest gives; NULL: it has none */
static struct pin *pin_find(u32 gsi)
{
	struct pin *block;

	if (gsi >= IOAPIC_GSI_END)
		return NULL;
	gsi = (u32)index_nospec(gsi, IOAPIC_GSI_END);
	block = blocks[gsi / BLOCK_PINS];
	return block ? &block[gsi % BLOCK_PINS] : NULL;
}

/* The same, made if there is none; NULL: no such pin, or no memory */
static struct pin *pin_make(u32 gsi, struct budget *b)
{
	struct pin **block;

	if (gsi >= IOAPIC_GSI_END)
		return NULL;
	block = &blocks[index_nospec(gsi, IOAPIC_GSI_END) / BLOCK_PINS];
	if (!*block)
		*block = kmem_alloc(b, BLOCK_BYTES);
	return pin_find(gsi);
}

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

static void pin_storm(struct pin *p, const struct vm *vm)
{
	char what[16];

	bh_snprintf(what, sizeof(what), "pin %u", p->gsi);
	storm_report(&p->storm, vm, what);
}

/* The vector's handler, on the core that the pin is aimed at */
static void pin_arrived(struct irq *self)
{
	struct pin *p = container_of(self, struct pin, irq);
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
		pin_storm(p, vm);
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
	p->irq.fn = pin_arrived;
	vector = irq_alloc(&p->irq);
	if (vector < 0) {
		vector = irq_share(&p->irq);
		if (ratelimit_pass(&vm->log_limit, rdtsc(), tsc_khz * 1000, 4))
			log_warn("irq",
				 "%s: all interrupt vectors are taken: "
				 "pin %u %s",
				 vm->name, p->gsi,
				 vector < 0 ? "gets none"
					    : "shares one with other devices");
	}
	if (vector < 0)
		return vector;
	p->vector = vector;
	return 0;
}

struct pcpu *irq_core(const struct vcpu *v)
{
	const struct vm *vm = v->vm;
	struct pcpu *cpu = v->entity.cpu;
	u32 first = v->id % (XAPIC_ID_MAX + 1);

	for (u32 i = 0; i < vm->vcpu_count && cpu->apic_id > XAPIC_ID_MAX; i++)
		cpu = vm->vcpus[(first + i) % vm->vcpu_count]->entity.cpu;
	return cpu;
}

/* The core of the vCPU that the guest aims the pin at, or else of vCPU 0 */
static u32 target_apic_id(struct vm *vm, u64 rte)
{
	struct vcpu *v = vlapic_target(vm, RTE_DEST(rte), rte & RTE_LOGICAL);

	if (!v)
		v = vm->vcpus[0];
	return irq_core(v)->apic_id;
}

/* A pin that only goes to another core is not masked meanwhile: as its vector
 * stays, it is one write, and no edge is lost */
static int pin_aim(struct pin *p, struct vm *vm, u64 rte)
{
	u32 apic_id = target_apic_id(vm, rte);
	bool level = rte & RTE_LEVEL, active_low = rte & RTE_ACTIVE_LOW;

	if (p->active && p->vm == vm && p->level == level &&
	    p->active_low == active_low && apic_id <= XAPIC_ID_MAX) {
		ioapic_aim(p->gsi, apic_id);
		return 0;
	}
	p->masked = true; /* with or without an error */
	p->active_low = active_low;
	return ioapic_route(p->gsi, (u8)p->vector, apic_id, level, active_low);
}

static int pin_program(struct pin *p, struct vm *vm, u64 rte)
{
	u32 mode = RTE_MODE(rte);
	bool level = rte & RTE_LEVEL;
	int err;

	/* The physical 8259 is masked for good: its pin has nothing to say.
	 * IOAPICs send no start-up IPI: it stands for nothing. */
	if (mode == APIC_DM_EXTINT || mode == APIC_DM_SMI ||
	    mode == APIC_DM_STARTUP)
		return -ENOTSUP;
	err = pin_vector(p, vm);
	if (err)
		return err;
	err = pin_aim(p, vm, rte);
	if (err)
		return err;
	/* A pin that turns to edge has no EOI to wait for */
	if (!level)
		p->held = false;
	changes += p->vm != vm;
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
	changes += p->vm != NULL;
	p->vm = NULL;
}

static int pin_set(struct pin *p, struct vm *vm, u32 gsi, u64 rte)
{
	int err;

	p->gsi = gsi;
	p->storm.calm = pin_calm;
	err = p->reserved ? -EBUSY : pin_program(p, vm, rte);
	/* The guest's RTE says otherwise: the old route ends, too */
	if (err && p->vm == vm)
		pin_stop(p);
	return err;
}

int irq_route_pin(struct vm *vm, u32 gsi, u64 rte)
{
	struct pin *p;
	int err;

	if (gsi >= MIN(ioapic_gsi_count(), IOAPIC_GSI_END))
		return -ENODEV;
	spin_lock(&route_lock);
	p = pin_make(gsi, &vm->budget);
	err = p ? pin_set(p, vm, gsi, rte) : -ENOMEM;
	spin_unlock(&route_lock);
	if (!p && ratelimit_pass(&vm->log_limit, rdtsc(), tsc_khz * 1000, 4))
		log_warn("irq", "%s: no memory for pin %u", vm->name, gsi);
	return err;
}

void irq_unroute_pin(struct vm *vm, u32 gsi)
{
	struct pin *p;

	spin_lock(&route_lock);
	p = pin_find(gsi);
	if (p && p->vm == vm)
		pin_stop(p);
	spin_unlock(&route_lock);
}

void irq_route_eoi(struct vm *vm, u32 gsi)
{
	struct pin *p;

	spin_lock(&route_lock);
	p = pin_find(gsi);
	if (p && p->vm == vm) {
		p->held = false;
		pin_apply(p);
	}
	spin_unlock(&route_lock);
}

void irq_route_reserve(u32 gsi)
{
	struct pin *p = pin_make(gsi, &pmm_self);

	if (p)
		p->reserved = true;
	else
		log_warn("irq", "pin %u cannot be kept from guests", gsi);
}

bool irq_is_pin(const struct irq *irq, const struct vm **vm, u32 *gsi)
{
	const struct pin *p = container_of(irq, struct pin, irq);

	if (irq->fn != pin_arrived)
		return false;
	spin_lock(&route_lock);
	*vm = p->vm;
	*gsi = p->gsi;
	spin_unlock(&route_lock);
	return true;
}

u64 irq_pin_changes(void)
{
	u64 count;

	spin_lock(&route_lock);
	count = changes;
	spin_unlock(&route_lock);
	return count;
}
