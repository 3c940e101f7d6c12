/* SOURCES: hv/device/pc/vkbc.c hv/device/pc/vkbd.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard controller: resets, interrupts, random writes */
#include "tests/unit/fakes/vdev.h"

#include "hv/irq/lines.h"
#include "tests/unit/fakes/vm_end.h"

static u32 levels, edges;

void line_set(struct vm *vm, u32 irq, bool level)
{
	assert_true(irq == 1 || irq == 12);
	edges += level && !(levels & 1u << irq);
	levels = (levels & ~(1u << irq)) | (u32)level << irq;
}

static u8 in(u16 port)
{
	return (u8)bus_read(&fake_vm.ports, &fake_vcpus[0], port, 1);
}

static void out(u16 port, u8 value)
{
	bus_write(&fake_vm.ports, &fake_vcpus[0], port, 1, value);
}

static int setup(void **state)
{
	fake_vm_init(1);
	levels = edges = fake_vm_ends = 0;
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 8), 0);
	assert_int_equal(vkbc_vdev.create(&fake_vm), 0);
	return 0;
}

static int teardown(void **state)
{
	vkbc_vdev.destroy(&fake_vm);
	bus_destroy(&fake_vm.ports, &fake_vm.budget);
	return 0;
}

static void test_resets(void **state)
{
	out(0x64, 0xfe);
	assert_int_equal(fake_vm_ends, 1);
	assert_int_equal(fake_vm_end, VM_END_RESET);
	out(0x64, 0xff); /* pulses nothing */
	out(0x64, 0xf1);
	assert_int_equal(fake_vm_ends, 1);
	out(0x64, 0xd1);
	out(0x60, 0xdf);
	assert_int_equal(fake_vm_ends, 1);
	out(0x64, 0xd1);
	out(0x60, 0xde);
	assert_int_equal(fake_vm_ends, 2);
	out(0x92, 0x02);
	assert_int_equal(fake_vm_ends, 2);
	out(0x92, 0x03);
	assert_int_equal(fake_vm_ends, 3);
	assert_int_equal(fake_vm_end, VM_END_RESET);
	assert_int_equal(in(0x92), 0x02);
}

static void test_one_edge_a_byte(void **state)
{
	out(0x64, 0xaa);
	assert_int_equal(levels, 1u << 1);
	assert_int_equal(in(0x60), 0x55);
	assert_int_equal(levels, 0);
	out(0x60, 0xf2); /* three bytes */
	assert_int_equal(edges, 2);
	in(0x60);
	in(0x60);
	assert_int_equal(edges, 4);
	assert_int_equal(levels, 1u << 1);
	in(0x60);
	assert_int_equal(edges, 4);
	assert_int_equal(levels, 0);
}

static void test_lines_follow_config(void **state)
{
	out(0x64, 0xd3);
	out(0x60, 0x5a);
	assert_int_equal(levels, 0); /* IRQ 12 is off */
	out(0x64, 0x60);
	out(0x60, 0x03);
	assert_int_equal(levels, 1u << 12);
	out(0x64, 0x60);
	out(0x60, 0x00);
	assert_int_equal(levels, 0);
	vkbc_vdev.reset(&fake_vm);
	assert_int_equal(in(0x64) & 1, 0);
}

/* A byte for a command, and a command in between: the command wins */
static void test_command_cancels(void **state)
{
	out(0x64, 0xd1);
	out(0x64, 0xd2);
	out(0x60, 0xde);
	assert_int_equal(fake_vm_ends, 0);
	assert_int_equal(in(0x60), 0xde);
	out(0x60, 0xed);
	assert_int_equal(in(0x60), 0xfa);
	out(0x60, 0xff); /* no LEDs: a command */
	assert_int_equal(in(0x60), 0xfa);
	assert_int_equal(in(0x60), 0xaa);
}

static void test_random(void **state)
{
	static const u16 ports[] = { 0x60, 0x64, 0x92 };

	srand(11);
	for (u32 i = 0; i < 200000; i++) {
		out(ports[rand() % 3], (u8)rand());
		if (rand() & 1)
			in(ports[rand() % 3]);
		assert_true(!(levels & 1u << 1) || !(levels & 1u << 12));
	}
	for (u32 i = 0; i < 17 && in(0x64) & 1; i++)
		in(0x60);
	assert_int_equal(in(0x64) & 1, 0);
	assert_int_equal(levels, 0);
	assert_int_equal(fake_vm_end, VM_END_RESET);
}

static u8 keyboard(u8 byte)
{
	out(0x60, byte);
	return in(0x60);
}

static void test_scan_sets(void **state)
{
	static const u8 translated[] = { 0x43, 0x41, 0x3f };

	for (u8 translate = 0; translate < 2; translate++) {
		out(0x64, 0x60);
		out(0x60, translate ? 0x41 : 0x01);
		for (u8 set = 1; set <= 3; set++) {
			assert_int_equal(keyboard(0xf0), 0xfa);
			assert_int_equal(keyboard(set), 0xfa);
			assert_int_equal(keyboard(0xf0), 0xfa);
			assert_int_equal(keyboard(0), 0xfa);
			assert_int_equal(in(0x60),
					 translate ? translated[set - 1] : set);
		}
	}
	assert_int_equal(keyboard(0xf0), 0xfa);
	assert_int_equal(keyboard(4), 0xfe);
	assert_int_equal(keyboard(0xf6), 0xfa); /* defaults */
	assert_int_equal(keyboard(0xf0), 0xfa);
	assert_int_equal(keyboard(0), 0xfa);
	assert_int_equal(in(0x60), 0x41);
}

/* How keys of scan set 3 repeat: all, or those of a list */
static void test_key_types(void **state)
{
	for (u8 command = 0xf7; command <= 0xfa; command++)
		assert_int_equal(keyboard(command), 0xfa);
	for (u8 command = 0xfb; command <= 0xfd; command++) {
		assert_int_equal(keyboard(command), 0xfa);
		assert_int_equal(keyboard(0x1c), 0xfa);
		assert_int_equal(keyboard(0x32), 0xfa);
	}
	assert_int_equal(keyboard(0xee), 0xee); /* ends the list */
	assert_int_equal(keyboard(0x1c), 0xfe);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_resets),
		T(test_one_edge_a_byte),
		T(test_lines_follow_config),
		T(test_command_cancels),
		T(test_scan_sets),
		T(test_key_types),
		T(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
