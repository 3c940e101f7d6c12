/* SOURCES: hv/irq/vioapic.c hv/irq/vioapic_units.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for the virtual IOAPIC: a stream of register accesses, lines
 * that rise and fall, EOIs and resets, in an isolated guest's and, with its
 * pins routed, in the privileged one's. What is sent belongs to a pin that is
 * not masked and whose line is up; a level that is up and open is under way;
 * remote IRR is a level's alone; and a step sends no more than the pins can.
 */
#include "tests/unit/fakes/vdev.h"

#include "hv/irq/lines.h"
#include "hv/irq/vioapic_priv.h"
#include "hv/irq/vlapic.h"
#include "hv/irq/vpic.h"
#include "lib/bytes.h"

#define STEPS_MAX 512
#define PINS      24
#define SOURCES   8

static bool nobody; /* takes what is sent */
static u32 sent;    /* in this step */

struct step {
	u8 what, pin;
	u16 more;
	u32 value;
} __packed;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static struct vioapic_unit *unit(void)
{
	return vioapic_of(&fake_vm)->units[0];
}

static bool is_level(u64 rte)
{
	return (rte & RTE_LEVEL) && RTE_MODE(rte) <= APIC_DM_LOWEST;
}

/* Eight bits, and above them KVM's seven (its CPUID documentation,
 * KVM_FEATURE_MSI_EXT_DEST_ID) */
static u32 destination(u64 rte)
{
	return (u32)(rte >> 56 | (rte >> 49 & 0x7f) << 8);
}

/* This pin may have sent that */
static bool may_send(const struct vioapic_pin *p, const struct vlapic_msg *m)
{
	return p->line && !(p->rte & (RTE_MASKED | RTE_REMOTE_IRR)) &&
	       (p->rte & RTE_VECTOR) == m->vector &&
	       RTE_MODE(p->rte) == m->mode && destination(p->rte) == m->dest &&
	       is_level(p->rte) == (m->trigger == TRIGGER_LEVEL);
}

u32 vlapic_deliver(struct vm *vm, const struct vlapic_msg *m,
		   struct vlapic_late *late)
{
	u32 i, senders = 0;

	for (i = 0; i < PINS; i++)
		senders += may_send(&unit()->pins[i], m);
	must(senders > 0);
	sent++;
	return nobody ? 0 : 1;
}

void vlapic_eoi_pins(struct vcpu *v, u8 vector, u32 first, u32 end)
{
	while (!vioapic_eoi(&fake_vm, vector, &first, end))
		;
}

bool vlapic_requested(const struct vcpu *v, u8 vector)
{
	return vector & 1;
}
struct vcpu *vlapic_target(struct vm *vm, u32 dest, bool logical)
{
	return dest < ARRAY_SIZE(fake_vcpus) ? &fake_vcpus[dest] : NULL;
}
void lines_unmasked(struct vm *vm)
{
}
u32 ioapic_gsi_count(void)
{
	return PINS;
}
int irq_route_pin(struct vm *vm, u32 gsi, u64 rte)
{
	must(gsi < PINS && !(rte & RTE_MASKED));
	return gsi % 5 ? 0 : -EBUSY;
}
void irq_unroute_pin(struct vm *vm, u32 gsi)
{
	must(gsi < PINS && unit()->pins[gsi].routed);
}
void irq_route_eoi(struct vm *vm, u32 gsi)
{
	must(gsi < PINS && unit()->pins[gsi].routed);
}
void vpic_set_line(struct vm *vm, u32 irq, bool level)
{
	must(irq < PINS);
}

/* @known: somebody took all that was sent since the guest began */
static void check(bool known)
{
	u32 i;

	for (i = 0; i < unit()->pin_count; i++) {
		const struct vioapic_pin *p = &unit()->pins[i];
		bool open = !(p->rte & RTE_MASKED);

		must(!(p->rte & ~(RTE_WRITABLE | RTE_READ_ONLY)));
		must(is_level(p->rte) || !(p->rte & RTE_REMOTE_IRR));
		must(!known || !open || !p->line || !is_level(p->rte) ||
		     (p->rte & RTE_REMOTE_IRR));
		must(!p->routed || open);
		must(vioapic_pin_open(&fake_vm, i) == open);
		must(open || !vioapic_pin_waits(&fake_vm, i));
	}
}

static u32 window_read(u32 reg)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], VIOAPIC_BASE + IOREGSEL, 4,
		  reg);
	return (u32)bus_read(&fake_vm.mmio, &fake_vcpus[0],
			     VIOAPIC_BASE + IOWIN, 4);
}

static void rte_half(const struct step *s)
{
	u32 n = s->pin % PINS, half = s->more & 1;
	u32 reg = IOREDTBL + 2 * n + half;

	(void)window_read(reg);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], VIOAPIC_BASE + IOWIN, 4,
		  s->value);
	must(window_read(reg) == (u32)(unit()->pins[n].rte >> 32 * half));
}

static void any_access(const struct step *s)
{
	u64 at = VIOAPIC_BASE + s->more % IOAPIC_BYTES;
	u8 size = (u8)(1u << s->pin % 4);

	if (s->what & 0x80)
		(void)bus_read(&fake_vm.mmio, &fake_vcpus[0], at, size);
	else
		bus_write(&fake_vm.mmio, &fake_vcpus[0], at, size,
			  s->value & ones_of(size));
}

static void set_source(const struct step *s)
{
	u32 n = s->pin % (PINS + 1); /* one is not there */
	bool level = s->what & 0x80, was;

	was = n < PINS && unit()->pins[n].line;
	vioapic_set_source(&fake_vm, n, s->more % SOURCES, level);
	must(n == PINS || unit()->pins[n].line || !level);
	must(sent <= (n < PINS && (!was || is_level(unit()->pins[n].rte))));
}

static void do_step(const struct step *s)
{
	switch (s->what & 7) {
	case 0:
	case 1:
		rte_half(s);
		must(sent <= 1);
		break;
	case 2:
		any_access(s);
		break;
	case 3:
	case 4:
		set_source(s);
		break;
	case 5:
	case 6:
		vlapic_eoi_pins(fake_vcpus, (u8)s->value, 0, VIOAPIC_EOI_ALL);
		break;
	default:
		if (s->more == 0)
			vioapic_vdev.reset(&fake_vm);
		(void)vioapic_extint_target(&fake_vm);
		break;
	}
	must(sent <= PINS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool known = true;
	struct step s;
	size_t i;

	fake_vm_init(1);
	fake_vm.privileged = size & 1;
	if (bus_init(&fake_vm.mmio, &fake_vm.budget, 16) ||
	    vioapic_vdev.create(&fake_vm))
		abort();
	for (i = 0; i < size / sizeof(s) && i < STEPS_MAX; i++) {
		memcpy(&s, data + i * sizeof(s), sizeof(s));
		nobody = (s.what & 0x78) == 0x78;
		known = known && !nobody;
		sent = 0;
		do_step(&s);
		check(known);
	}
	vioapic_vdev.destroy(&fake_vm);
	bus_destroy(&fake_vm.mmio, &fake_vm.budget);
	must(!fake_vm.budget.used_pages);
	return 0;
}
