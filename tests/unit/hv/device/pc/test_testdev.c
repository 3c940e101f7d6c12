/* SOURCES: hv/device/pc/testdev.c hv/device/pc/debug_exit.c hv/device/pc/debugcon.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Test ports and debug console: there only when asked for, and bounded */
#include "tests/unit/fakes/vdev.h"

#include "hv/irq/lines.h"
#include "hv/irq/vioapic.h"
#include "tests/unit/fakes/ratelimit.h"
#include "tests/unit/fakes/vm_end.h"

static struct guest_config config;
static u32 isa, gsi;

void line_set(struct vm *vm, u32 irq, bool level)
{
	isa = level ? irq : 0;
}

void vioapic_set_line(struct vm *vm, u32 pin, bool level)
{
	gsi = level ? pin : 0;
}

static u64 in(u16 port, u8 size)
{
	return bus_read(&fake_vm.ports, &fake_vcpus[0], port, size);
}

static void out(u16 port, u8 size, u64 value)
{
	bus_write(&fake_vm.ports, &fake_vcpus[0], port, size, value);
}

static void create(void)
{
	fake_vm_init(1);
	fake_vm.config = &config;
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 16), 0);
	assert_int_equal(bus_init(&fake_vm.mmio, &fake_vm.budget, 16), 0);
	assert_int_equal(debugcon_vdev.create(&fake_vm), 0);
	assert_int_equal(testdev_vdev.create(&fake_vm), 0);
	assert_int_equal(debug_exit_vdev.create(&fake_vm), 0);
}

static void destroy(void)
{
	if (fake_vm.devices[VDEV_testdev])
		testdev_vdev.destroy(&fake_vm);
	if (fake_vm.devices[VDEV_debugcon])
		debugcon_vdev.destroy(&fake_vm);
	bus_destroy(&fake_vm.ports, &fake_vm.budget);
	bus_destroy(&fake_vm.mmio, &fake_vm.budget);
	assert_int_equal(fake_vm.budget.used_pages, 0);
}

static void test_off(void **state)
{
	memset(&config, 0, sizeof(config));
	create();
	assert_int_equal(fake_vm.ports.count, 0);
	assert_int_equal(fake_vm.mmio.count, 0);
	assert_null(fake_vm.devices[VDEV_testdev]);
	assert_null(fake_vm.devices[VDEV_debugcon]);
	destroy();
}

static void test_exit(void **state)
{
	config = (struct guest_config){ .debug_exit_port = 0xf4 };
	create();
	fake_vm_end = 0;
	assert_int_equal(in(0xf4, 1), 0);
	out(0xf6, 2, 1);
	assert_int_equal(fake_vm_end, VM_END_DEBUG_EXIT);
	/* One exit of REP OUTS writes many times: one line */
	fake_log_reset();
	fake_vm.end = VM_END_DEBUG_EXIT;
	for (u32 i = 0; i < 128; i++)
		out(0xf4, 1, i & 0xff);
	assert_int_equal(fake_log_lines, 0);
	destroy();
}

static void test_ports(void **state)
{
	config = (struct guest_config){ .testdev = true };
	create();
	out(0xe0, 4, 0x11223344);
	out(0xe9, 1, 0xff);
	assert_int_equal(in(0xe0, 4), 0x1122ff44);
	assert_int_equal(in(0xea, 2), 0x1122);
	out(0xe4, 4, ~0u);
	out(0x2005, 1, 1);
	assert_int_equal(isa, 5);
	out(0x2017, 1, 1);
	assert_int_equal(gsi, 23);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], 0xff00fff8, 8, ~0ull);
	assert_int_equal(bus_read(&fake_vm.mmio, &fake_vcpus[0], 0xff00fffe, 2),
			 0xffff);
	testdev_vdev.reset(&fake_vm);
	assert_int_equal(in(0xe0, 4), 0);
	assert_int_equal(bus_read(&fake_vm.mmio, &fake_vcpus[0], 0xff00fff8, 8),
			 0);
	destroy();
}

static void test_debug_console(void **state)
{
	config = (struct guest_config){ .debug_console = true };
	create();
	assert_int_equal(in(0x402, 1), 0xe9);
	fake_log_reset();
	fake_ratelimit_left = 6;
	out(0x402, 1, '\n');           /* nothing to say */
	for (u32 i = 0; i < 1000; i++) /* six lines of 160, cut */
		out(0x402, 1, i & 0xff);
	assert_int_equal(fake_log_lines, 3);
	fake_ratelimit_left = 2;
	debugcon_vdev.reset(&fake_vm);
	assert_int_equal(fake_log_lines, 5); /* and how many were lost */
	destroy();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_debug_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
