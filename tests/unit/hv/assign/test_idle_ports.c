/* SOURCES: hv/assign/idle_ports.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports whose read is a sleep: those that CPU registers and tables name */
#include "tests/unit/fakes/vdev.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "drivers/acpi/acpi.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"

static u64 control, capture, base;

struct acpi_facts acpi;

int rdmsr_safe(u32 msr, u64 *value)
{
	if (cpu_features.vendor == VENDOR_AMD) {
		assert_int_equal(msr, MSR_AMD_CSTATE_BASE);
		*value = base;
		return base == ~0ull ? -EIO : 0;
	}
	assert_true(msr == MSR_PKG_CST_CONFIG_CONTROL ||
		    msr == MSR_PMG_IO_CAPTURE_BASE);
	*value = msr == MSR_PMG_IO_CAPTURE_BASE ? capture : control;
	return control == ~0ull ? -EIO : 0;
}

static int setup(void **state)
{
	fake_vm_init(1);
	fake_vm.privileged = true;
	memset(&acpi, 0, sizeof(acpi));
	cpu_features.vendor = VENDOR_INTEL;
	cpu_features.family = 6;
	control = capture = base = 0;
	return bus_init(&fake_vm.ports, &fake_vm.budget, 64);
}

static int teardown(void **state)
{
	bus_destroy(&fake_vm.ports, &fake_vm.budget);
	return 0;
}

static void make(void)
{
	assert_int_equal(idle_ports_vdev.create(&fake_vm), 0);
}

static bool sleeps(u16 port)
{
	struct vcpu *v = &fake_vcpus[0];

	v->activity = VCPU_RUNNING;
	(void)bus_read(&fake_vm.ports, v, port, 1);
	return v->activity == VCPU_SLEEPS;
}

/* A Xeon E5: P_LVL2 to P_LVL4 at 414h, redirected to MWAIT */
static void test_intel(void **state)
{
	control = 0x8403;
	capture = 0x20414;
	make();
	assert_false(sleeps(0x413));
	assert_true(sleeps(0x414));
	assert_true(sleeps(0x416));
	assert_false(sleeps(0x417));
}

/* Ports of something else are not taken by a register that is not in use */
static void test_intel_off(void **state)
{
	control = 0x8003;
	capture = 0x20414;
	make();
	control = ~0ull;
	make();
	control = 0x8403;
	capture = 0x20000;
	make();
	assert_int_equal(fake_vm.ports.count, 0);
}

/* An EPYC: C2 is a read of 814h, and of 413h on desktops */
static void test_amd(void **state)
{
	cpu_features.vendor = VENDOR_AMD;
	cpu_features.family = 0x19;
	base = 0x813;
	make();
	for (u16 port = 0x813; port < 0x81b; port++)
		assert_true(sleeps(port));
	assert_false(sleeps(0x812));
	assert_false(sleeps(0x81b));
}

static void test_amd_off(void **state)
{
	cpu_features.vendor = VENDOR_AMD;
	cpu_features.family = 0x19;
	make();
	base = ~0ull;
	make();
	base = 0x813;
	cpu_features.family = 0xf;
	make();
	assert_int_equal(fake_vm.ports.count, 0);
}

static void test_amd_at_the_end(void **state)
{
	cpu_features.vendor = VENDOR_AMD;
	cpu_features.family = 0x19;
	base = 0xfffc;
	make();
	assert_true(sleeps(0xffff));
}

static void test_tables(void **state)
{
	acpi.idle_ports[0] = 0x1814;
	acpi.idle_ports[1] = 0x1815;
	acpi.idle_port_count = 2;
	acpi.pblks[0] = 0x410;
	acpi.pblk_count = 1;
	make();
	assert_true(sleeps(0x1814));
	assert_true(sleeps(0x1815));
	assert_false(sleeps(0x414));
	acpi.has_lvl2 = true;
	acpi.idle_port_count = 0;
	make();
	assert_true(sleeps(0x414));
	assert_false(sleeps(0x415));
	acpi.has_lvl2 = false;
	acpi.has_lvl3 = true;
	make();
	assert_true(sleeps(0x415));
}

static u64 other_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	return 0x55;
}

/* What is there already stays, and the rest is trapped all the same */
static void test_taken(void **state)
{
	const struct bus_region other = {
		.base = 0x815, .size = 1, .name = "other", .read = other_read
	};

	assert_int_equal(bus_add(&fake_vm.ports, &other), 0);
	cpu_features.vendor = VENDOR_AMD;
	cpu_features.family = 0x19;
	base = 0x813;
	make();
	assert_true(sleeps(0x814));
	assert_false(sleeps(0x815));
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0x815, 1),
			 0x55);
	assert_true(sleeps(0x816));
}

/* More than there is room for: what has room is trapped, and the guest is made
 * all the same */
static void test_too_many(void **state)
{
	u32 room = fake_vm.ports.capacity;

	acpi.has_lvl2 = acpi.has_lvl3 = true;
	acpi.idle_port_count = acpi.pblk_count = ACPI_MAX_IDLE_PORTS;
	for (u32 i = 0; i < ACPI_MAX_IDLE_PORTS; i++) {
		acpi.idle_ports[i] = (u16)(0x1000 + i);
		acpi.pblks[i] = (u16)(0x2000 + 16 * i);
	}
	assert_true(room < 3 * ACPI_MAX_IDLE_PORTS);
	fake_log_reset();
	make();
	assert_int_equal(fake_log_warnings, 1);
	assert_int_equal(fake_vm.ports.count, room);
	assert_true(sleeps(0x2004));
	assert_false(sleeps(0x2000 + 16 * (ACPI_MAX_IDLE_PORTS - 1) + 4));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_intel),   T(test_intel_off),      T(test_amd),
		T(test_amd_off), T(test_amd_at_the_end), T(test_tables),
		T(test_taken),   T(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
