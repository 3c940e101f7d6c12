/* SOURCES: hv/irq/vpic.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8259 pair against the Intel 8259A data sheet */
#include "tests/unit/fakes/vdev.h"

#include "hv/irq/lines.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vpic.h"
#include "include/hw/i8259.h"
#include "tests/unit/fakes/ports.h"

static struct vcpu *extint;
static u32 looked;

struct vcpu *vioapic_extint_target(struct vm *vm)
{
	return extint;
}

void lines_unmasked(struct vm *vm)
{
	assert_false(vm->privileged);
	looked++;
}

static u32 host_elcr(u16 port, u8 size)
{
	return port == 0x4d0 ? 0 : 0x0c; /* IRQ 10 and 11 level */
}

static void out(u16 port, u8 value)
{
	bus_write(&fake_vm.ports, &fake_vcpus[0], port, 1, value);
}

static u8 in(u16 port)
{
	return (u8)bus_read(&fake_vm.ports, &fake_vcpus[0], port, 1);
}

static void init_pair(u8 icw4)
{
	out(0x20, 0x11);
	out(0x21, 0x30);
	out(0x21, 0x04);
	out(0x21, icw4);
	out(0xa0, 0x11);
	out(0xa1, 0x38);
	out(0xa1, 0x02);
	out(0xa1, icw4);
}

static int setup(void **state)
{
	fake_vm_init(2);
	fake_vm.privileged = true;
	fake_port_in = host_elcr;
	extint = NULL;
	looked = 0;
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 8), 0);
	assert_int_equal(vpic_vdev.create(&fake_vm), 0);
	return 0;
}

static int teardown(void **state)
{
	vpic_vdev.destroy(&fake_vm);
	free(fake_vm.ports.regions);
	return 0;
}

/* Linux probe_8259A(): the mask register is memory */
static void test_probe(void **state)
{
	out(0xa1, 0xff);
	out(0x21, 0xfb);
	assert_int_equal(in(0x21), 0xfb);
	assert_int_equal(in(0x4d1), 0x0c);
	out(0x4d0, 0xff);
	out(0x4d1, 0xff);
	assert_int_equal(in(0x4d0), 0xf8);
	assert_int_equal(in(0x4d1), 0xde);
}

static void test_edge_and_priority(void **state)
{
	init_pair(1);
	vpic_set_line(&fake_vm, 4, true);
	vpic_set_line(&fake_vm, 1, true);
	assert_true(vpic_has_interrupt(&fake_vm));
	assert_true(fake_vcpus[0].events & VE_IRQ);
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x31);
	assert_false(vpic_has_interrupt(&fake_vm)); /* 4 is lower */
	assert_int_equal(vpic_acknowledge(&fake_vm), -1);
	out(0x20, 0x20);
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x34);
	out(0x20, 0x64);                  /* specific EOI */
	vpic_set_line(&fake_vm, 4, true); /* no new edge */
	assert_false(vpic_has_interrupt(&fake_vm));
}

static void test_cascade(void **state)
{
	init_pair(1);
	vpic_set_line(&fake_vm, 14, true);
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x3e);
	out(0x20, 0x0b);
	out(0xa0, 0x0b);
	assert_int_equal(in(0x20), 0x04);
	assert_int_equal(in(0xa0), 0x40);
	/* Same slave input group, higher: held by the master's ISR */
	vpic_set_line(&fake_vm, 8, true);
	assert_false(vpic_has_interrupt(&fake_vm));
	out(0xa0, 0x20);
	out(0x20, 0x20);
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x38);
}

static void test_level(void **state)
{
	init_pair(1);
	vpic_set_line(&fake_vm, 11, true);
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x3b);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	assert_true(vpic_has_interrupt(&fake_vm)); /* still asserted */
	vpic_set_line(&fake_vm, 11, false);
	assert_false(vpic_has_interrupt(&fake_vm));
}

static void test_mask_and_spurious(void **state)
{
	init_pair(1);
	out(0x21, 0x10);
	vpic_set_line(&fake_vm, 4, true);
	assert_false(vpic_has_interrupt(&fake_vm));
	out(0x21, 0);
	assert_true(vpic_has_interrupt(&fake_vm));
	vpic_set_line(&fake_vm, 4, false); /* gone before the INTA */
	assert_false(vpic_has_interrupt(&fake_vm));
}

static void test_auto_eoi_and_rotation(void **state)
{
	init_pair(3);
	out(0x20, 0x80); /* rotate in auto EOI */
	vpic_set_line(&fake_vm, 3, true);
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x33);
	vpic_set_line(&fake_vm, 3, false);
	vpic_set_line(&fake_vm, 3, true);
	vpic_set_line(&fake_vm, 4, true);
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x34); /* 4 is first now */
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x33);
}

static void test_poll(void **state)
{
	init_pair(1);
	out(0x20, 0x0c);
	assert_int_equal(in(0x20), 0x07);
	vpic_set_line(&fake_vm, 5, true);
	out(0x20, 0x0c);
	assert_int_equal(in(0x20), 0x85);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0x20);
}

/* The wires of an isolated guest are its own; its timers hear of masks */
static void test_isolated(void **state)
{
	assert_int_equal(looked, 0);
	fake_vm.privileged = false;
	vpic_vdev.reset(&fake_vm);
	assert_int_equal(in(0x4d0), 0);
	assert_int_equal(in(0x4d1), 0);
	out(0x21, 0xfe);
	assert_int_equal(looked, 1);
	/* Also to who the IOAPIC's pin 0 leads to, now and later */
	init_pair(1);
	extint = &fake_vcpus[1];
	vpic_set_line(&fake_vm, 4, true);
	assert_int_equal(fake_vcpus[0].events, VE_IRQ);
	assert_int_equal(fake_vcpus[1].events, VE_IRQ);
	fake_vcpus[1].events = 0;
	vpic_look(&fake_vm);
	assert_int_equal(fake_vcpus[1].events, VE_IRQ);
	vpic_acknowledge(&fake_vm);
	fake_vcpus[1].events = 0;
	vpic_look(&fake_vm);
	assert_int_equal(fake_vcpus[1].events, 0);
}

/* A masked tick is remembered once, and wanted no more */
static void test_wants_and_waits(void **state)
{
	init_pair(1);
	out(0x21, 0x01);
	assert_true(vpic_wants(&fake_vm, 0));
	vpic_set_line(&fake_vm, 0, true);
	assert_false(vpic_wants(&fake_vm, 0));
	assert_false(vpic_waits(&fake_vm, 0));
	out(0x21, 0x00);
	assert_true(vpic_wants(&fake_vm, 0));
	assert_true(vpic_waits(&fake_vm, 0));
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x30);
	assert_false(vpic_waits(&fake_vm, 0));
	out(0xa1, 0x01);
	vpic_set_line(&fake_vm, 8, true);
	assert_false(vpic_wants(&fake_vm, 8));
	assert_false(vpic_wants(&fake_vm, 20)); /* no line of its */
	assert_false(vpic_waits(&fake_vm, 20));
}

static void test_random_writes(void **state)
{
	static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	u32 i;

	srand(1);
	for (i = 0; i < 20000; i++) {
		out(ports[rand() % 6], (u8)rand());
		vpic_set_line(&fake_vm, (u32)rand() % 20, rand() & 1);
		in(ports[rand() % 6]);
		if (rand() & 1)
			assert_in_range(vpic_acknowledge(&fake_vm) + 1, 0, 256);
	}
}

/* Special mask mode: a level that is masked is in no EOI's way, and stays */
static void test_special_mask_eoi(void **state)
{
	init_pair(1);
	out(0x21, 0);
	vpic_set_line(&fake_vm, 1, true);
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x31);
	out(0x21, 0x02);
	out(0x20, 0x68);
	vpic_set_line(&fake_vm, 4, true);
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x34);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0x12);
	out(0x20, 0x20);
	assert_int_equal(in(0x20), 0x02);
	out(0x20, 0x20);
	assert_int_equal(in(0x20), 0x02);
	out(0x20, 0x48); /* out of that mode it is the highest again */
	out(0x20, 0x20);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0);
}

/* Open is what a BIOS serves: clock, keyboard, RTC. Whose timers rested while
 * masked must hear of it, and what waits comes at once. */
static void test_as_by_bios(void **state)
{
	fake_vm.privileged = false;
	vpic_vdev.reset(&fake_vm);
	vpic_set_line(&fake_vm, 0, true);
	assert_false(vpic_has_interrupt(&fake_vm));
	vpic_as_by_bios(&fake_vm);
	assert_int_equal(looked, 1);
	assert_int_equal(in(0x21), 0xf8);
	assert_int_equal(in(0xa1), 0xfe);
	assert_true(vpic_has_interrupt(&fake_vm));
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x08);
	out(0x20, 0x20);
	vpic_set_line(&fake_vm, 8, true);
	assert_int_equal(vpic_acknowledge(&fake_vm), 0x70);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_as_by_bios),
		T(test_probe),
		T(test_edge_and_priority),
		T(test_cascade),
		T(test_level),
		T(test_mask_and_spurious),
		T(test_auto_eoi_and_rotation),
		T(test_poll),
		T(test_special_mask_eoi),
		T(test_isolated),
		T(test_wants_and_waits),
		T(test_random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
