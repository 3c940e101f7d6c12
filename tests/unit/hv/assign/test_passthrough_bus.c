/* SOURCES: hv/assign/passthrough.c hv/assign/passthrough_func.c hv/assign/passthrough_bus.c hv/assign/passthrough_sriov.c hv/assign/passthrough_guard.c hv/assign/passthrough_msi.c hv/assign/passthrough_msix.c hv/assign/passthrough_move.c hv/core/bus.c tests/unit/hv/assign/functions.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A bridge, 00:05.0, and a function with an MSI-X table on the bus that it
 * leads to: what happens as the guest gives it other buses */
#include "drivers/acpi/acpi.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/hv/assign/functions.h"

#define BRIDGE    0x28u
#define DEVICE_AT 0xe0300000u

static u8 bridge[4096], device[4096];
static u8 memory[16384] __attribute__((aligned(4096)));
static bool there;

static u8 *behind(struct pci_bdf bdf)
{
	if (!bdf.bus && bdf.devfn == BRIDGE)
		return bridge;
	if (!there || !bridge[PCI_SECONDARY_BUS] ||
	    bdf.bus != bridge[PCI_SECONDARY_BUS] || bdf.devfn)
		return NULL;
	return device;
}

static int bus_setup(void **state)
{
	memset(bridge, 0, sizeof(bridge));
	memset(device, 0, sizeof(device));
	memset(memory, 0xff, sizeof(memory));
	there = true;
	put32(bridge, 0x00011b36);
	bridge[PCI_HEADER_TYPE] = PCI_HEADER_BRIDGE;
	bridge[PCI_SECONDARY_BUS] = 1;
	bridge[PCI_SUBORDINATE_BUS] = 2;
	put32(device, 0x00101b36);
	device[4] = PCI_COMMAND_MEMORY;
	put32(device + 0x10, DEVICE_AT);
	put32(device + MSIX_CAP, 0x11u | 3u << 16);
	put32(device + MSIX_CAP + 4, TABLE_OFF);
	setup(state);
	virtual_function = behind;
	fake_ioremap_add(DEVICE_AT, memory, sizeof(memory));
	writes_everywhere = true;
	assert_int_equal(cfg_read(BRIDGE, 0, 2), 0x1b36);
	return 0;
}

static int bus_teardown(void **state)
{
	virtual_function = NULL;
	return teardown(state);
}

static u32 dev_read(u32 bus, u32 off, u8 size)
{
	return cfg_read(bus << 8, off, size);
}

static void dev_write(u32 bus, u32 off, u8 size, u32 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0],
		  0xb0000000 + ((u64)bus << 20) + off, size, value);
	while (go_on())
		;
}

static void buses_write(u32 off, u8 size, u32 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0],
		  0xb0000000 + (BRIDGE << 12) + off, size, value);
}

static bool trapped(void)
{
	return bus_find(&fake_vm.mmio, DEVICE_AT + TABLE_OFF);
}

static void start(u32 bus)
{
	assert_int_equal(dev_read(bus, 0, 2), 0x1b36);
	dev_write(bus, 4, 2, PCI_COMMAND_MEMORY);
	dev_write(bus, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	assert_true(device[4] & PCI_COMMAND_MEMORY);
	assert_true(device[MSIX_CAP + 3] & 0x80);
	assert_true(trapped());
}

/* It is off when it moves, and works where it is found again */
static void test_other_bus(void **state)
{
	start(1);
	buses_write(0x18, 4, 0x00070700);
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 7);
	assert_false(device[4] & PCI_COMMAND_MEMORY);
	assert_false(device[MSIX_CAP + 3] & 0x80);
	start(7);
	/* And back */
	buses_write(0x19, 1, 1);
	assert_false(device[4] & PCI_COMMAND_MEMORY);
	start(1);
}

/* First to no bus, then to another, as kernels do it */
static void test_by_way_of_none(void **state)
{
	start(1);
	buses_write(0x18, 4, 0);
	assert_false(device[4] & PCI_COMMAND_MEMORY);
	buses_write(0x18, 4, 0x00030300);
	assert_int_equal(dev_read(1, 0, 4), 0xffffffff);
	start(3);
}

/* More buses, or the primary number, move nothing */
static void test_stays(void **state)
{
	start(1);
	buses_write(0x1a, 1, 9);
	buses_write(0x18, 1, 0);
	buses_write(0x18, 4, 0x00090100);
	buses_write(0x1b, 1, 0x40);
	assert_true(device[4] & PCI_COMMAND_MEMORY);
	assert_true(device[MSIX_CAP + 3] & 0x80);
	assert_int_equal(bridge[PCI_SUBORDINATE_BUS], 9);
	assert_int_equal(bridge[0x1b], 0x40);
	/* Fewer do, if it was on one of them */
	buses_write(0x1a, 1, 0);
	assert_false(device[4] & PCI_COMMAND_MEMORY);
}

/* An empty slot behind it: what has left is not turned off, and in no way */
static void test_left(void **state)
{
	start(1);
	there = false;
	buses_write(0x18, 4, 0x00070700);
	assert_true(device[4] & PCI_COMMAND_MEMORY);
	there = true;
	device[4] = 0;
	device[MSIX_CAP + 3] = 0;
	assert_int_equal(dev_read(7, 0, 2), 0x1b36);
}

/* Its message has stormed. By the time that this is over it is at its old
 * address again, off, or another of its kind is. */
static void test_storm_ends_later(void **state)
{
	put32(device + MSI_CAP, 5);
	assert_int_equal(dev_read(1, 0, 2), 0x1b36);
	dev_write(1, MSI_CAP + 4, 4, 0xfee00000);
	dev_write(1, MSI_CAP + 8, 2, 0x41);
	dev_write(1, MSI_CAP + 2, 2, PCI_MSI_ENABLE);
	assert_true(device[MSI_CAP + 2] & PCI_MSI_ENABLE);
	storm(routed, true);
	buses_write(0x19, 1, 7);
	buses_write(0x19, 1, 1);
	storm(routed, false);
	assert_false(device[MSI_CAP + 2] & PCI_MSI_ENABLE);
	assert_int_equal(dev_read(1, 0, 2), 0x1b36);
	assert_int_equal(unroutes, 1);
}

#define BUS_TEST(fn)                                                           \
	cmocka_unit_test_setup_teardown(fn, bus_setup, bus_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUS_TEST(test_other_bus),
		BUS_TEST(test_by_way_of_none),
		BUS_TEST(test_stays),
		BUS_TEST(test_left),
		BUS_TEST(test_storm_ends_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
