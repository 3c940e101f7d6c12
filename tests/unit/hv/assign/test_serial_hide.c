/* SOURCES: hv/assign/serial_hide.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The ports of the hypervisor's UART, as the privileged guest sees them */
#include "tests/unit/fakes/vdev.h"

#include "hv/console/console.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/fakes/serial.h"

static u32 regions(enum uart_space space, u64 base, bool there)
{
	fake_vm_init(1);
	fake_vm.privileged = true;
	fake_has_serial = there;
	fake_serial = (struct console_serial){ .at = { .space = space,
						       .base = base } };
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 16), 0);
	assert_int_equal(serial_hide_vdev.create(&fake_vm), 0);
	return fake_vm.ports.count;
}

static void done(void)
{
	bus_destroy(&fake_vm.ports, &fake_vm.budget);
}

static void test_ports(void **state)
{
	const u16 base = COM2_PORT;

	assert_int_equal(regions(UART_IN_PORTS, base, true), 1);
	fake_port_writes = 0;
	for (u16 port = base; port < base + UART_PORTS; port++) {
		assert_non_null(bus_find(&fake_vm.ports, port));
		bus_write(&fake_vm.ports, &fake_vcpus[0], port, 1, 0x5a);
		assert_int_equal(
			bus_read(&fake_vm.ports, &fake_vcpus[0], port, 1),
			0xff);
	}
	assert_int_equal(fake_port_writes, 0);
	assert_null(bus_find(&fake_vm.ports, base - 1));
	assert_null(bus_find(&fake_vm.ports, base + UART_PORTS));
	/* Something else has them: then they are hidden as well */
	assert_int_equal(serial_hide_vdev.create(&fake_vm), 0);
	done();
}

/* COM1 has the guest's own; memory is the owners' affair */
static void test_elsewhere(void **state)
{
	assert_int_equal(regions(UART_IN_PORTS, COM1_PORT, true), 0);
	done();
	assert_int_equal(regions(UART_IN_MEMORY, 0xfe030000, true), 0);
	done();
	assert_int_equal(regions(UART_IN_PORTS, COM2_PORT, false), 0);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
