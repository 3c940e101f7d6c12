/* SOURCES: hv/assign/vpower.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Power and reset registers: what ends a guest, what fake_ratelimit_left, what
 * is dropped */
#include "tests/unit/fakes/vdev.h"

#include "drivers/acpi/acpi.h"
#include "hv/assign/vpower.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/fakes/vm_end.h"

static u32 host_in(u16 port, u8 size)
{
	return port < 0x700 && port >= 0x600 ? port ^ 0x7fff : port ^ 0xffff;
}

static void create(void)
{
	fake_vm_init(1);
	fake_vm.privileged = true;
	fake_vm_end = VM_END_NONE;
	fake_port_in = host_in;
	fake_port_writes = 0;
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 16), 0);
	assert_int_equal(vpower_vdev.create(&fake_vm), 0);
	vpower_vdev.reset(&fake_vm);
}

static void out(u16 port, u8 size, u32 value)
{
	fake_vm_end = VM_END_NONE;
	bus_write(&fake_vm.ports, &fake_vcpus[0], port, size, value);
}

static u64 in(u16 port, u8 size)
{
	return bus_read(&fake_vm.ports, &fake_vcpus[0], port, size);
}

static void test_privileged(void **state)
{
	memset(&acpi, 0, sizeof(acpi));
	acpi.present = acpi.has_s5 = acpi.has_reset = true;
	acpi.pm1a_cnt = 0x604;
	acpi.pm1b_cnt = 0x704;
	acpi.s5_typ_a = 7;
	acpi.reset = (struct acpi_gas){ .space = 1, .address = 0xb00 };
	acpi.reset_value = 0x0e;
	create();
	out(0x604, 2, 0x2000 | 7 << 10);
	assert_int_equal(fake_vm_end, VM_END_POWER_OFF);
	out(0x605, 1, 0x20 | 7 << 2); /* by bytes */
	assert_int_equal(fake_vm_end, VM_END_POWER_OFF);
	out(0x604, 2, 0x2000 | 1 << 10); /* S1: refused */
	out(0x704, 2, 0x2000 | 7 << 10);
	assert_int_equal(fake_vm_end, VM_END_NONE);
	assert_int_equal(fake_port_writes, 0);
	out(0x604, 2, 0x0001); /* SCI enable fake_ratelimit_left */
	assert_int_equal(fake_port, 0x604);
	assert_int_equal(fake_port_value, 1);
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0x64, 1),
			 0x9b);
	out(0x64, 1, 0xad);
	assert_int_equal(fake_port_value, 0xad);
	out(0x64, 1, 0xfe);
	assert_int_equal(fake_vm_end, VM_END_RESET);
	out(0x64, 1, 0xff); /* pulses nothing */
	assert_int_equal(fake_vm_end, VM_END_NONE);
	out(0x92, 1, 0x02);
	assert_int_equal(fake_port, 0x92);
	out(0x92, 1, 0x03);
	assert_int_equal(fake_vm_end, VM_END_RESET);
	out(0xb00, 1, 0x0e);
	assert_int_equal(fake_vm_end, VM_END_RESET);
	assert_false(vpower_cf9_write(&fake_vm, 0x02));
	assert_true(vpower_cf9_write(&fake_vm, 0x06));
	free(fake_vm.ports.regions);
}

/* A kernel that asked for S3 waits for WAK_STS and clears it by a one */
static void test_sleep(void **state)
{
	memset(&acpi, 0, sizeof(acpi));
	acpi.present = acpi.has_s5 = true;
	acpi.pm1a_evt = 0x600;
	acpi.pm1a_cnt = 0x604;
	acpi.s5_typ_a = 7;
	create();
	assert_int_equal(in(0x600, 2), 0x79ff);
	out(0x604, 2, 0x2000 | 1 << 10);
	assert_int_equal(fake_port_writes, 0);
	assert_int_equal(in(0x600, 2), 0xf9ff);
	assert_int_equal(in(0x601, 1), 0xfe | 0x80);
	assert_int_equal(in(0x600, 1), 0xff);
	/* Other bits are the hardware's alone */
	out(0x600, 2, 0x0100);
	assert_int_equal(in(0x600, 2), 0xf9ff);
	out(0x601, 1, 0x80);
	assert_int_equal(fake_port, 0x601);
	assert_int_equal(in(0x600, 2), 0x79ff);
	/* A guest that was reset has not slept */
	out(0x604, 2, 0x2000 | 1 << 10);
	vpower_vdev.reset(&fake_vm);
	assert_int_equal(in(0x600, 2), 0x79ff);
	free(fake_vm.ports.regions);
}

static void test_privileged_without_tables(void **state)
{
	memset(&acpi, 0, sizeof(acpi));
	create();
	out(0x64, 1, 0xfe);
	assert_int_equal(fake_vm_end, VM_END_RESET);
	free(fake_vm.ports.regions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_privileged),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_privileged_without_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
