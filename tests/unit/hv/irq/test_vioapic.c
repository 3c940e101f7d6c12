/* SOURCES: hv/irq/vioapic.c hv/irq/vioapic_units.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual IOAPIC against the 82093AA data sheet. Over 400 lines: its fakes
 * serve every case. */
#include "tests/unit/fakes/vdev.h"

#include "hv/irq/lines.h"
#include "hv/irq/vioapic_priv.h"
#include "hv/irq/vlapic.h"
#include "hv/irq/vpic.h"
#include "tests/unit/fakes/ioapic.h"

static struct {
	u32 count, dest, vector, mode;
	bool logical;
	enum trigger trigger;
} sent;
static bool nobody; /* takes what is sent */
static bool many;   /* it is for */
static struct {
	u32 routed, unrouted, eois, gsi;
	u64 rte;
	int result;
} route;
static u32 pic_irq = 99;

static struct vlapic_late *sent_late;

u32 vlapic_deliver(struct vm *vm, const struct vlapic_msg *m,
		   struct vlapic_late *late)
{
	sent.count++;
	sent.dest = m->dest;
	sent.logical = m->logical;
	sent.mode = m->mode;
	sent.vector = m->vector;
	sent.trigger = m->trigger;
	sent_late = late;
	return many ? VLAPIC_WAITS : nobody ? 0 : 1;
}

static bool requested;
static u32 looked;

bool vlapic_requested(const struct vcpu *v, u8 vector)
{
	assert_ptr_equal(v, &fake_vcpus[0]);
	return requested && vector == 0x41;
}

struct vcpu *vlapic_target(struct vm *vm, u32 dest, bool logical)
{
	return dest < 4 ? &fake_vcpus[dest] : NULL;
}

void lines_unmasked(struct vm *vm)
{
	looked++;
}

int irq_route_pin(struct vm *vm, u32 gsi, u64 rte)
{
	route.routed++;
	route.gsi = gsi;
	route.rte = rte;
	return route.result;
}

void irq_unroute_pin(struct vm *vm, u32 gsi)
{
	route.unrouted++;
	route.gsi = gsi;
}

void irq_route_eoi(struct vm *vm, u32 gsi)
{
	route.eois++;
	route.gsi = gsi;
}

void vpic_set_line(struct vm *vm, u32 irq, bool level)
{
	pic_irq = irq;
}

static void create(bool passthrough)
{
	memset(&sent, 0, sizeof(sent));
	memset(&route, 0, sizeof(route));
	fake_vm_init(1);
	assert_int_equal(bus_init(&fake_vm.mmio, &fake_vm.budget, 16), 0);
	fake_vm.privileged = passthrough;
	assert_int_equal(vioapic_vdev.create(&fake_vm), 0);
}

static void destroy(void)
{
	vioapic_vdev.destroy(&fake_vm);
	free(fake_vm.mmio.regions);
	memset(&acpi, 0, sizeof(acpi));
}

static u32 reg_read(u64 base, u32 reg)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], base + IOREGSEL, 4, reg);
	return (u32)bus_read(&fake_vm.mmio, &fake_vcpus[0], base + IOWIN, 4);
}

static void reg_write(u64 base, u32 reg, u32 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], base + IOREGSEL, 4, reg);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], base + IOWIN, 4, value);
}

static void rte_set(u32 pin, u64 rte)
{
	reg_write(VIOAPIC_BASE, 0x11 + pin * 2, (u32)(rte >> 32));
	reg_write(VIOAPIC_BASE, 0x10 + pin * 2, (u32)rte);
}

/* By the vLAPIC, in pieces; returns how many */
static u32 eoi(u8 vector)
{
	u32 next = 0, pieces = 1;

	while (!vioapic_eoi(&fake_vm, vector, &next, VIOAPIC_EOI_ALL))
		pieces++;
	return pieces;
}

static u32 register_pieces;

void vlapic_eoi_pins(struct vcpu *v, u8 vector, u32 first, u32 end)
{
	u32 before = route.eois;

	assert_ptr_equal(v, &fake_vcpus[0]);
	register_pieces = 1;
	while (!vioapic_eoi(&fake_vm, vector, &first, end)) {
		assert_in_range(route.eois - before, 0, VIOAPIC_EOI_PINS);
		before = route.eois;
		register_pieces++;
	}
}

static void test_registers(void **state)
{
	create(false);
	assert_int_equal(reg_read(VIOAPIC_BASE, 1), 0x170020);
	assert_int_equal(reg_read(VIOAPIC_BASE, 0x10), 0x10000);
	assert_int_equal(reg_read(VIOAPIC_BASE, 0x10 + 48), 0);
	reg_write(VIOAPIC_BASE, 0x10 + 48, 0x12345678); /* no such pin */
	reg_write(VIOAPIC_BASE, 0xff, 0x12345678);
	rte_set(3, 0xffffffffffffffffull);
	assert_int_equal(reg_read(VIOAPIC_BASE, 0x16), 0x1afff);
	assert_int_equal(reg_read(VIOAPIC_BASE, 0x17), 0xfffe0000);
	assert_int_equal(route.routed, 0);
	assert_int_equal(bus_read(&fake_vm.mmio, &fake_vcpus[0],
				  VIOAPIC_BASE + 0xffc, 4),
			 0);
	destroy();
}

static void test_edge(void **state)
{
	create(false);
	vioapic_set_line(&fake_vm, 4, true); /* masked: lost */
	vioapic_set_line(&fake_vm, 4, false);
	rte_set(4, 0x0200000000000830ull);
	assert_int_equal(sent.count, 0);
	vioapic_set_line(&fake_vm, 4, true);
	vioapic_set_line(&fake_vm, 4, true);
	assert_int_equal(sent.count, 1);
	assert_int_equal(sent.vector, 0x30);
	assert_int_equal(sent.dest, 2);
	assert_true(sent.logical);
	assert_int_equal(sent.trigger, TRIGGER_EDGE);
	vioapic_set_line(&fake_vm, 4, false);
	vioapic_set_line(&fake_vm, 4, true);
	assert_int_equal(sent.count, 2);
	vioapic_set_line(&fake_vm, 200, true); /* no such pin */
	destroy();
}

static void test_level(void **state)
{
	create(false);
	rte_set(9, 0x8041);
	vioapic_set_line(&fake_vm, 9, true);
	assert_int_equal(sent.count, 1);
	assert_int_equal(sent.trigger, TRIGGER_LEVEL);
	assert_true(reg_read(VIOAPIC_BASE, 0x22) & RTE_REMOTE_IRR);
	vioapic_set_line(&fake_vm, 9, false);
	vioapic_set_line(&fake_vm, 9, true);
	assert_int_equal(sent.count, 1); /* until the EOI */
	eoi(0x42);
	assert_int_equal(sent.count, 1);
	eoi(0x41);
	assert_int_equal(sent.count, 2); /* still asserted */
	vioapic_set_line(&fake_vm, 9, false);
	eoi(0x41);
	assert_int_equal(sent.count, 2);
	assert_false(reg_read(VIOAPIC_BASE, 0x22) & RTE_REMOTE_IRR);
	/* Asserted while masked: sent at the unmask */
	rte_set(9, 0x18041);
	vioapic_set_line(&fake_vm, 9, true);
	assert_int_equal(sent.count, 2);
	rte_set(9, 0x8041);
	assert_int_equal(sent.count, 3);
	/* The EOI register of version 20h; edge clears remote IRR */
	bus_write(&fake_vm.mmio, &fake_vcpus[0], VIOAPIC_BASE + IOEOIR, 4,
		  0x41);
	assert_int_equal(sent.count, 4);
	rte_set(9, 0x10041);
	assert_false(reg_read(VIOAPIC_BASE, 0x22) & RTE_REMOTE_IRR);
	destroy();
}

/* A mode without EOI is an edge even when programmed as a level; what nobody
 * takes is sent again at the next occasion */
static void test_level_of_no_eoi(void **state)
{
	create(false);
	rte_set(9, 0x8441);
	vioapic_set_line(&fake_vm, 9, true);
	assert_int_equal(sent.count, 1);
	assert_int_equal(sent.trigger, TRIGGER_EDGE);
	assert_false(reg_read(VIOAPIC_BASE, 0x22) & RTE_REMOTE_IRR);
	vioapic_set_line(&fake_vm, 9, false);
	rte_set(9, 0x8041);
	nobody = true;
	vioapic_set_line(&fake_vm, 9, true);
	assert_false(reg_read(VIOAPIC_BASE, 0x22) & RTE_REMOTE_IRR);
	nobody = false;
	rte_set(9, 0x8041);
	assert_int_equal(sent.count, 3);
	assert_true(reg_read(VIOAPIC_BASE, 0x22) & RTE_REMOTE_IRR);
	destroy();
}

/* A line that several share falls with the last of them */
/* Sent to many, and taken by none: it is sent again when something changes, but
 * not because of one that still waits to be sent */
static void test_level_unheard(void **state)
{
	create(false);
	many = true;
	rte_set(9, 0x0100000000008841ull);
	vioapic_set_line(&fake_vm, 9, true);
	assert_true(reg_read(VIOAPIC_BASE, 0x22) & RTE_REMOTE_IRR);
	sent_late->queued = 1;
	sent_late->nobody(sent_late, &fake_vm);
	assert_true(reg_read(VIOAPIC_BASE, 0x22) & RTE_REMOTE_IRR);
	sent_late->queued = 0;
	sent_late->nobody(sent_late, &fake_vm);
	assert_false(reg_read(VIOAPIC_BASE, 0x22) & RTE_REMOTE_IRR);
	/* Nor because of an older one: the guest turns to one vCPU, which takes
	 * it, and whose EOI the pin waits for */
	vioapic_set_line(&fake_vm, 9, true);
	rte_set(9, 0x10041);
	many = false;
	rte_set(9, 0x8041);
	sent_late->nobody(sent_late, &fake_vm);
	assert_true(reg_read(VIOAPIC_BASE, 0x22) & RTE_REMOTE_IRR);
	destroy();
}

static void test_shared_line(void **state)
{
	create(false);
	rte_set(20, 0x8041);
	vioapic_set_source(&fake_vm, 20, 0, true);
	assert_int_equal(sent.count, 1);
	vioapic_set_source(&fake_vm, 20, 3, true);
	vioapic_set_source(&fake_vm, 20, 0, false);
	eoi(0x41);
	assert_int_equal(sent.count, 2);
	vioapic_set_source(&fake_vm, 20, 3, false);
	eoi(0x41);
	assert_int_equal(sent.count, 2);
	destroy();
}

/* What device timers ask before they work */
static void test_open_and_waits(void **state)
{
	create(false);
	looked = 0;
	assert_false(vioapic_pin_open(&fake_vm, 2));
	assert_false(vioapic_pin_open(&fake_vm, 99));
	rte_set(2, 0x41);
	assert_true(looked > 0);
	assert_true(vioapic_pin_open(&fake_vm, 2));
	requested = true;
	assert_true(vioapic_pin_waits(&fake_vm, 2));
	requested = false;
	assert_false(vioapic_pin_waits(&fake_vm, 2));
	rte_set(2, 0x8041);
	assert_false(vioapic_pin_waits(&fake_vm, 2));
	vioapic_set_line(&fake_vm, 2, true);
	assert_true(vioapic_pin_waits(&fake_vm, 2));
	rte_set(2, 0x18041);
	assert_false(vioapic_pin_waits(&fake_vm, 2));
	destroy();
}

static void test_extint(void **state)
{
	create(false);
	assert_null(vioapic_extint_target(&fake_vm));
	assert_false(vioapic_extint(&fake_vm, &fake_vcpus[0]));
	rte_set(0, 0x0100000000000700ull);
	assert_ptr_equal(vioapic_extint_target(&fake_vm), &fake_vcpus[1]);
	assert_true(vioapic_extint(&fake_vm, &fake_vcpus[1]));
	assert_false(vioapic_extint(&fake_vm, &fake_vcpus[0]));
	rte_set(0, 0x41); /* fixed */
	assert_null(vioapic_extint_target(&fake_vm));
	destroy();
}

static void test_passthrough(void **state)
{
	create(true);
	rte_set(11, 0xa041);
	assert_int_equal(route.gsi, 11);
	assert_int_equal(route.rte, 0xa041);
	vioapic_set_line(&fake_vm, 11, true);
	assert_int_equal(sent.count, 1);
	/* The EOI asks the hardware, and does not repeat by itself */
	eoi(0x41);
	assert_int_equal(route.eois, 1);
	assert_int_equal(sent.count, 1);
	vioapic_set_line(&fake_vm, 11, true);
	assert_int_equal(sent.count, 2);
	rte_set(11, 0x1a041);
	assert_int_equal(route.unrouted, 1);
	eoi(0x41);
	assert_int_equal(route.eois, 1);
	/* A pin that cannot be routed is a plain virtual one */
	route.result = -EBUSY;
	rte_set(4, 0x30);
	vioapic_set_line(&fake_vm, 4, true);
	assert_int_equal(sent.count, 3);
	/* One that cannot be routed again has no line any more, and no EOI */
	route.result = 0;
	rte_set(6, 0xa046);
	vioapic_set_line(&fake_vm, 6, true);
	assert_int_equal(sent.count, 4);
	route.result = -ENOTSUP;
	rte_set(6, 0xa746);
	eoi(0x46);
	assert_int_equal(route.eois, 1);
	rte_set(6, 0xa046);
	assert_int_equal(sent.count, 4);
	route.result = 0;
	rte_set(5, 0x35);
	vioapic_vdev.reset(&fake_vm);
	assert_int_equal(route.unrouted, 2);
	assert_int_equal(route.gsi, 5);
	destroy();
}

static void test_host_shape(void **state)
{
	acpi.ioapic_count = 2;
	acpi.ioapics[0] = (struct acpi_ioapic){ 8, 0xfec00000, 0 };
	acpi.ioapics[1] = (struct acpi_ioapic){ 9, 0xfec01000, 24 };
	fake_gsi_count = 56;
	create(true);
	assert_int_equal(reg_read(0xfec00000, 1), 0x170020);
	assert_int_equal(reg_read(0xfec01000, 1), 0x1f0020);
	assert_int_equal(reg_read(0xfec01000, 0), 9u << 24);
	reg_write(0xfec01000, 0x10, 0x55);
	assert_int_equal(route.gsi, 24);
	vioapic_set_line(&fake_vm, 24, true);
	assert_int_equal(sent.vector, 0x55);
	destroy();
	fake_gsi_count = 24;
}

/* A guest that gives many pins one vector, all of them up: no piece of the EOI
 * reaches more than 16 of them, and in the end each has had one */
static void test_eoi_in_pieces(void **state)
{
	u32 next = 0, pieces = 0, before = 0;
	bool done;

	acpi.ioapic_count = 2;
	acpi.ioapics[0] = (struct acpi_ioapic){ 8, 0xfec00000, 0 };
	acpi.ioapics[1] = (struct acpi_ioapic){ 9, 0xfec01000, 24 };
	fake_gsi_count = 56;
	create(true);
	for (u32 i = 0; i < 56; i++) {
		u64 base = i < 24 ? 0xfec00000 : 0xfec01000;

		reg_write(base, 0x10 + (i < 24 ? i : i - 24) * 2, 0x8041);
		vioapic_set_line(&fake_vm, i, true);
	}
	route.eois = 0;
	do {
		done = vioapic_eoi(&fake_vm, 0x41, &next, VIOAPIC_EOI_ALL);
		assert_in_range(route.eois - before, 0, VIOAPIC_EOI_PINS);
		before = route.eois;
		pieces++;
	} while (!done);
	assert_int_equal(route.eois, 56);
	assert_int_equal(pieces, 4);
	/* The register of one unit reaches its pins alone, in pieces, too */
	for (u32 i = 0; i < 56; i++)
		vioapic_set_line(&fake_vm, i, true);
	route.eois = 0;
	bus_write(&fake_vm.mmio, &fake_vcpus[0], 0xfec01000 + IOEOIR, 4, 0x41);
	assert_int_equal(route.eois, 32);
	assert_int_equal(register_pieces, 3);
	assert_true(reg_read(0xfec00000, 0x10) & RTE_REMOTE_IRR);
	assert_false(reg_read(0xfec01000, 0x10) & RTE_REMOTE_IRR);
	destroy();
	fake_gsi_count = 24;
}

/* A virtual device's line that is still up is sent again, to up to 32 vCPUs: no
 * piece does so for more than four pins */
static void test_eoi_sends(void **state)
{
	u32 next = 0, before = 0;
	bool done;

	create(false);
	for (u32 i = 0; i < VIOAPIC_ISOLATED_PINS; i++) {
		rte_set(i, 0x8041);
		vioapic_set_line(&fake_vm, i, true);
	}
	sent.count = 0;
	do {
		done = vioapic_eoi(&fake_vm, 0x41, &next, VIOAPIC_EOI_ALL);
		assert_in_range(sent.count - before, 0, 4);
		before = sent.count;
	} while (!done);
	assert_int_equal(sent.count, VIOAPIC_ISOLATED_PINS);
	/* What is usual is one piece */
	for (u32 i = 1; i < VIOAPIC_ISOLATED_PINS; i++)
		vioapic_set_line(&fake_vm, i, false);
	(void)eoi(0x41);
	assert_int_equal(eoi(0x41), 1);
	destroy();
}

/* KVM's extended destination: 15 bits */
static void test_long_destination(void **state)
{
	create(false);
	rte_set(7, 0x34ull << 56 | 2ull << 49 | 0x40);
	vioapic_set_line(&fake_vm, 7, true);
	assert_int_equal(sent.dest, 0x234);
	rte_set(8, ~0ull << 49 | 0x41);
	vioapic_set_line(&fake_vm, 8, true);
	assert_int_equal(sent.dest, 0x7fff);
	destroy();
}

static void test_pic_follows(void **state)
{
	create(true);
	fake_vm.devices[VDEV_vpic] = &fake_vm; /* only tested for NULL */
	acpi.override_count = 1;
	acpi.overrides[0] = (struct acpi_override){ .isa_irq = 0, .gsi = 2 };
	vioapic_set_line(&fake_vm, 2, true);
	assert_int_equal(pic_irq, 0);
	vioapic_set_line(&fake_vm, 14, true);
	assert_int_equal(pic_irq, 14);
	vioapic_set_line(&fake_vm, 17, true);
	assert_int_equal(pic_irq, 14);
	destroy();
}

static void test_random_writes(void **state)
{
	static const u8 sizes[] = { 1, 2, 4, 8 };
	u32 i;

	create(true);
	srand(5);
	for (i = 0; i < 100000; i++) {
		u64 value = (u64)rand() << 31 ^ (u64)rand();

		bus_write(&fake_vm.mmio, &fake_vcpus[0],
			  VIOAPIC_BASE + (u32)(rand() % 0x60 & ~7),
			  sizes[rand() % 4], value >> rand() % 64);
		vioapic_set_line(&fake_vm, (u32)rand() % 30, rand() & 1);
		eoi((u8)rand());
	}
	/* Read-only bits never stick from a write */
	vioapic_vdev.reset(&fake_vm);
	for (i = 0; i < 24; i++)
		assert_int_equal(reg_read(VIOAPIC_BASE, 0x10 + i * 2), 0x10000);
	destroy();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_edge),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_level_of_no_eoi),
		cmocka_unit_test(test_level_unheard),
		cmocka_unit_test(test_shared_line),
		cmocka_unit_test(test_open_and_waits),
		cmocka_unit_test(test_extint),
		cmocka_unit_test(test_passthrough),
		cmocka_unit_test(test_host_shape),
		cmocka_unit_test(test_eoi_in_pieces),
		cmocka_unit_test(test_eoi_sends),
		cmocka_unit_test(test_long_destination),
		cmocka_unit_test(test_pic_follows),
		cmocka_unit_test(test_random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
