/* SOURCES: hv/assign/tco.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The chipset's watchdog: whose the hardware's is, what a driver sees of the
 * virtual one, and when it bites */
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "include/hw/acpi_pm.h"
#include "include/hw/q35.h"
#include "tests/unit/fakes/board.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/vm_end.h"

#define PM    0x600u
#define TCO   (PM + PM_TCO)
#define OTHER 0x400u

static u8 hardware[TCO_BYTES];
static u16 base_now;
static bool is_locked, has_smbus, acpi_off;

static u32 host_in(u16 port, u8 size)
{
	u32 value = 0;

	assert_in_range(port, base_now, base_now + TCO_BYTES - size);
	memcpy(&value, hardware + (port - base_now), size);
	return value;
}

static void host_out(u16 port, u8 size, u32 value)
{
	u32 at = (u32)port - base_now;

	assert_in_range(port, base_now, base_now + TCO_BYTES - size);
	if (at == TCO_CNT && size == 2 && is_locked)
		value &= ~(u32)TCO1_HALT;
	memcpy(hardware + at, &value, size);
	/* Nobody lets it run */
	if (!is_locked)
		assert_true(hardware[TCO_CNT + 1] & TCO1_HALT >> 8);
}

u32 pci_read(struct pci_bdf bdf, u16 offset, u8 size)
{
	bool smbus = bdf.devfn == pci_devfn(0x1f, 4);

	if (bdf.bus || (!smbus && bdf.devfn != pci_devfn(0x1f, 0)) ||
	    (smbus && !has_smbus))
		return ~0u;
	switch (offset) {
	case PCI_VENDOR_ID:
		return Q35_VENDOR;
	case PCI_CLASS_REVISION:
		return (smbus ? SMBUS_CLASS : LPC_CLASS) << 16 | 2;
	case LPC_PMBASE:
		return PM | LPC_PMBASE_IO;
	case LPC_ACPI_CNTL:
		return acpi_off ? 0 : LPC_ACPI_EN;
	case SMBUS_TCOBASE:
		return OTHER | 1;
	case SMBUS_TCOCTL:
		return SMBUS_TCOCTL_ON;
	default:
		return 0;
	}
}

static void create(void)
{
	board_init();
	fake_vm.privileged = true;
	fake_vm_ends = 0;
	fake_log_last[0] = 0;
	fake_port_in = host_in;
	fake_port_out = host_out;
	assert_int_equal(tco_vdev.create(&fake_vm), 0);
}

static int setup(void **state)
{
	memset(hardware, 0, sizeof(hardware));
	is_locked = has_smbus = acpi_off = false;
	base_now = TCO;
	acpi.pm1a_evt = PM;
	fake_timer = NULL;
	create();
	return 0;
}

static int teardown(void **state)
{
	if (fake_vm.devices[VDEV_tco])
		tco_vdev.destroy(&fake_vm);
	fake_vm.devices[VDEV_tco] = NULL;
	board_done();
	return 0;
}

static void again(void)
{
	teardown(NULL);
	create();
}

/* As iTCO_wdt does it: the time, a load, and it runs */
static void arm(u32 ticks)
{
	out(TCO + TCO_TMR, 2, ticks);
	out(TCO + TCO_RLD, 2, 1);
	out(TCO + TCO_CNT, 2, in(TCO + TCO_CNT, 2) & ~(u32)TCO1_HALT);
}

static void pass_ticks(u32 ticks)
{
	board_pass_us(ticks * 600000ull);
}

/* Firmware has left it running: nobody has said so to the guest */
static void test_hardware_halts(void **state)
{
	assert_true(hardware[TCO_CNT + 1] & TCO1_HALT >> 8);
	assert_int_equal(in(TCO + TCO_CNT, 2), TCO1_HALT);
	assert_null(fake_timer);
	pass_ticks(10000);
	assert_int_equal(fake_vm_ends, 0);
}

static void test_hardware_is_locked(void **state)
{
	memset(hardware, 0, sizeof(hardware));
	is_locked = true;
	again();
	assert_non_null(strstr(fake_log_last, "the hypervisor feeds it"));
	assert_int_equal(hardware[TCO_RLD], 1);
	hardware[TCO_RLD] = 0;
	fake_timer_fire();
	assert_int_equal(hardware[TCO_RLD], 1);
	assert_non_null(fake_timer);
}

static void test_where(void **state)
{
	acpi.pm1a_evt = PM + 0x80; /* the register is none of an ICH */
	again();
	assert_null(fake_vm.devices[VDEV_tco]);
	assert_null(bus_find(&fake_vm.ports, TCO));
	acpi.pm1a_evt = PM;
	acpi_off = true;
	again();
	assert_null(fake_vm.devices[VDEV_tco]);
	has_smbus = true;
	base_now = OTHER;
	again();
	assert_non_null(bus_find(&fake_vm.ports, OTHER));
	assert_null(bus_find(&fake_vm.ports, TCO));
}

static void test_bites(void **state)
{
	arm(50);
	assert_int_equal(in(TCO + TCO_TMR, 2), 50);
	assert_in_range(in(TCO + TCO_RLD, 2), 49, 50);
	pass_ticks(10);
	assert_in_range(in(TCO + TCO_RLD, 2), 39, 40);
	pass_ticks(39);
	assert_int_equal(in(TCO + TCO1_STS, 2), 0);
	pass_ticks(2);
	assert_int_equal(in(TCO + TCO1_STS, 2), TCO1_TIMEOUT);
	assert_int_equal(fake_vm_ends, 0);
	pass_ticks(48);
	assert_int_equal(fake_vm_ends, 0);
	pass_ticks(3);
	assert_int_equal(fake_vm_ends, 1);
	assert_int_equal(fake_vm_end, VM_END_FAILURE);
	assert_int_equal(in(TCO + TCO2_STS, 2), TCO2_SECOND_TO);
	pass_ticks(10000);
	assert_int_equal(fake_vm_ends, 1);
	/* The next life sees why it began, and clears it */
	tco_vdev.reset(&fake_vm);
	assert_int_equal(in(TCO + TCO1_STS, 2), 0);
	assert_int_equal(in(TCO + TCO_CNT, 2), TCO1_HALT);
	assert_int_equal(in(TCO + TCO2_STS, 1), TCO2_SECOND_TO);
	out(TCO + TCO2_STS, 2, TCO2_SECOND_TO);
	assert_int_equal(in(TCO + TCO2_STS, 2), 0);
}

static void test_fed(void **state)
{
	arm(10);
	for (u32 i = 0; i < 100; i++) {
		pass_ticks(9);
		out(TCO + TCO_RLD, 2, 1);
	}
	assert_int_equal(in(TCO + TCO1_STS, 2), 0);
	/* Late, but not too late; the timeout is cleared by a 1 alone */
	pass_ticks(11);
	out(TCO + TCO1_STS, 2, 0);
	assert_int_equal(in(TCO + TCO1_STS, 2), TCO1_TIMEOUT);
	out(TCO + TCO1_STS, 2, TCO1_TIMEOUT);
	assert_int_equal(in(TCO + TCO1_STS, 2), 0);
	out(TCO + TCO_RLD, 2, 1);
	pass_ticks(11);
	assert_int_equal(fake_vm_ends, 0);
	out(TCO + TCO_CNT, 2, TCO1_HALT);
	pass_ticks(1000);
	assert_int_equal(fake_vm_ends, 0);
}

static void test_short(void **state)
{
	arm(0);
	pass_ticks(7);
	assert_int_equal(fake_vm_ends, 0);
	pass_ticks(2);
	assert_int_equal(fake_vm_ends, 1);
}

/* Locked, it can be halted no more; and by bytes, as some write */
static void test_locked(void **state)
{
	arm(10);
	out(TCO + TCO_CNT + 1, 1, TCO1_LOCK >> 8);
	assert_int_equal(in(TCO + TCO_CNT, 2), TCO1_LOCK);
	out(TCO + TCO_CNT + 1, 1, TCO1_HALT >> 8);
	assert_int_equal(in(TCO + TCO_CNT + 1, 1), TCO1_LOCK >> 8);
	assert_false(hardware[TCO_CNT + 1] & TCO1_LOCK >> 8);
	pass_ticks(21);
	assert_int_equal(fake_vm_ends, 1);
}

/* What is no timer is the hardware's */
static void test_passes(void **state)
{
	hardware[TCO1_STS] = 0x41;
	hardware[TCO_RLD] = 0x77;
	assert_int_equal(in(TCO + TCO1_STS, 2), 0x41);
	assert_int_equal(in(TCO + TCO_RLD, 4), 4);
	out(TCO + 0x0c, 1, 0x5a);
	assert_int_equal(hardware[0x0c], 0x5a);
	out(TCO + TCO_CNT, 4, 0x00340200);
	assert_int_equal(hardware[TCO_CNT + 1], 2 | TCO1_HALT >> 8);
	assert_int_equal(hardware[TCO_CNT + 2], 0x34);
	out(TCO + TCO_TMR, 2, 0xffff);
	assert_int_equal(in(TCO + TCO_TMR, 2), TCO_TMR_BITS);
	assert_int_equal(hardware[TCO_TMR], 0);
}

/* Firmware names ports of something else: there is none, and no harm */
static void test_taken(void **state)
{
	const struct bus_region taken = { .base = TCO + 8, .size = 1 };

	teardown(NULL);
	board_init();
	hardware[TCO_CNT + 1] = 0;
	assert_int_equal(bus_add(&fake_vm.ports, &taken), 0);
	assert_int_equal(tco_vdev.create(&fake_vm), 0);
	assert_null(fake_vm.devices[VDEV_tco]);
	assert_int_equal(hardware[TCO_CNT + 1], 0);
	assert_non_null(strstr(fake_log_last, "another device's"));
}

#define TCO_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TCO_TEST(test_hardware_halts),
		TCO_TEST(test_hardware_is_locked),
		TCO_TEST(test_where),
		TCO_TEST(test_bites),
		TCO_TEST(test_fed),
		TCO_TEST(test_short),
		TCO_TEST(test_locked),
		TCO_TEST(test_passes),
		TCO_TEST(test_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
