/* SOURCES: hv/assign/passthrough.c hv/assign/passthrough_func.c hv/assign/passthrough_bus.c hv/assign/passthrough_sriov.c hv/assign/passthrough_guard.c hv/assign/passthrough_list.c hv/assign/passthrough_msi.c hv/assign/passthrough_msix.c hv/assign/passthrough_move.c hv/assign/passthrough_virtual.c hv/device/pci/pci_fn.c hv/core/bus.c hv/core/slots.c tests/unit/hv/assign/functions.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A bridge, 00:05.0, and a function with an MSI-X table on the bus that it
 * leads to: what happens as the guest gives it other buses. Over 400 lines: one
 * machine for all of it. */
#include "drivers/acpi/acpi.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/serial.h"
#include "tests/unit/hv/assign/functions.h"

#define BRIDGE    0x28u
#define DEVICE_AT 0xe0300000u
/* Accesses of config space in one go: a piece, and the function that it ends
 * with */
#define PIECE_ACCESSES 24u

static u8 bridge[4096], device[4096];
static u8 many[64][4096]; /* beside it, on the same bus */
static u32 many_count, pieces, most;
static u8 memory[16384] __attribute__((aligned(4096)));
static bool there;

static u8 *behind(struct pci_bdf bdf)
{
	if (!bdf.bus && bdf.devfn == BRIDGE)
		return bridge;
	if (!there || !bridge[PCI_SECONDARY_BUS] ||
	    bdf.bus != bridge[PCI_SECONDARY_BUS])
		return NULL;
	if (bdf.devfn)
		return bdf.devfn <= many_count ? many[bdf.devfn - 1] : NULL;
	return device;
}

static int bus_setup(void **state)
{
	memset(bridge, 0, sizeof(bridge));
	memset(device, 0, sizeof(device));
	memset(memory, 0xff, sizeof(memory));
	there = true;
	many_count = 0;
	put32(bridge, 0x00011b36);
	bridge[PCI_HEADER_TYPE] = PCI_HEADER_BRIDGE;
	bridge[PM_CAP] = PCI_CAP_ID_PM;
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
	written = NULL;
	fake_has_serial = false;
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

/* By vCPU 1, to one of many on bus 1 */
static void dev_write_at(u32 devfn, u32 off, u8 size, u32 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[1],
		  0xb0100000 + (devfn << 12) + off, size, value);
}

static void buses_begin(u32 vcpu, u32 off, u8 size, u32 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[vcpu],
		  0xb0000000 + (BRIDGE << 12) + off, size, value);
}

static void buses_write(u32 off, u8 size, u32 value)
{
	buses_begin(0, off, size, value);
	while (go_on())
		;
}

/* Functions with a message each, turned on */
static void many_start(u32 count)
{
	many_count = count;
	for (u32 i = 1; i <= count; i++) {
		u8 *c = many[i - 1];

		memset(c, 0, sizeof(many[0]));
		put32(c, 0x00201b36);
		put32(c + MSI_CAP, 5);
		put32(c + MSIX_CAP, 0x11);
		put32(c + MSIX_CAP + 4, 7); /* in no BAR */
		assert_int_equal(cfg_read(0x100 + i, 0, 2), 0x1b36);
		dev_write_at(i, MSI_CAP + 4, 4, 0xfee00000);
		dev_write_at(i, MSI_CAP + 2, 2, PCI_MSI_ENABLE);
		assert_true(c[MSI_CAP + 2] & PCI_MSI_ENABLE);
	}
}

static u32 many_on(void)
{
	u32 on = 0;

	for (u32 i = 0; i < many_count; i++)
		on += many[i][MSI_CAP + 2] & PCI_MSI_ENABLE;
	return on;
}

/* No function is on when the bridge leads elsewhere */
static void check_all_off(void)
{
	if (bridge[PCI_SECONDARY_BUS] != 1)
		assert_int_equal(many_on(), 0);
}

/* A piece; false: there is none */
static bool piece(u32 vcpu)
{
	u32 before = accesses;
	bool any = go_on_at(&fake_vcpus[vcpu]);

	most = MAX(most, accesses - before);
	pieces += any;
	return any;
}

static void pieces_begin(void)
{
	written = check_all_off;
	config_is_slow = true;
	pieces = most = 0;
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

/* However many are behind it, a core does some at a time, and the bridge leads
 * elsewhere only when all are off */
static void test_many(void **state)
{
	u32 before = accesses;

	many_start(60);
	pieces_begin();
	before = accesses;
	buses_begin(0, 0x18, 4, 0x00070700);
	assert_in_range(accesses - before, 0, PIECE_ACCESSES);
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 1);
	while (piece(0))
		;
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 7);
	assert_in_range(most, 1, PIECE_ACCESSES);
	assert_true(pieces > 10);
}

/* Nor do those that do not answer take longer, or are asked again and again */
static void test_many_silent(void **state)
{
	many_start(60);
	there = false;
	pieces_begin();
	written = NULL;
	buses_begin(0, 0x19, 1, 7);
	while (piece(0))
		;
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 7);
	assert_in_range(most, 1, PIECE_ACCESSES);
	assert_in_range(pieces, 10, 60);
}

/* Another vCPU turns one on again that was off already, and one that is new */
static void test_touched_meanwhile(void **state)
{
	many_start(40);
	pieces_begin();
	buses_begin(0, 0x19, 1, 7);
	while (many_on() > 10)
		assert_true(piece(0));
	many_start(42);
	assert_int_equal(many_on(), 42);
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 1);
	while (piece(0))
		;
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 7);
	assert_int_equal(many_on(), 0);
	assert_in_range(most, 1, PIECE_ACCESSES);
}

/* Two write to one bridge: the last one's number stays */
static void test_two_writers(void **state)
{
	many_start(20);
	pieces_begin();
	buses_begin(0, 0x19, 1, 7);
	assert_true(piece(0));
	buses_begin(1, 0x19, 1, 3);
	while (piece(1))
		;
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 3);
	while (piece(0))
		;
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 7);
	assert_in_range(most, 1, PIECE_ACCESSES);
}

/* The bridge itself goes away before its turn: what is there now is another
 * function, and has a BAR where the numbers were */
static void test_bridge_replaced(void **state)
{
	many_start(20);
	pieces_begin();
	written = NULL;
	buses_begin(0, 0x19, 1, 7);
	assert_true(piece(0));
	put32(bridge, 0x00301b36);
	while (piece(0))
		;
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 1);
}

/* Bytes that one instruction writes are one write */
static void test_by_bytes(void **state)
{
	start(1);
	buses_begin(0, 0x1a, 1, 9);
	buses_begin(0, 0x19, 1, 7);
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 1);
	while (go_on())
		;
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 7);
	assert_int_equal(bridge[PCI_SUBORDINATE_BUS], 9);
	assert_false(device[4] & PCI_COMMAND_MEMORY);
}

/* Fewer buses at the end: what is on the others stays as it was */
static void test_fewer(void **state)
{
	start(1);
	buses_write(0x1a, 1, 0xff);
	buses_write(0x1a, 1, 1);
	assert_true(device[4] & PCI_COMMAND_MEMORY);
	assert_int_equal(dev_read(1, 0, 2), 0x1b36);
}

static u8 *behind_two(struct pci_bdf bdf)
{
	if (!bdf.bus && bdf.devfn == BRIDGE)
		return bridge;
	return bdf.bus == 3 && !bdf.devfn && bridge[PCI_SUBORDINATE_BUS] >= 3
		       ? device
		       : NULL;
}

/* With 0 for its secondary bus it still leads to what is behind the bridges
 * behind it */
static void test_from_none(void **state)
{
	bridge[PCI_SECONDARY_BUS] = 0;
	bridge[PCI_SUBORDINATE_BUS] = 5;
	virtual_function = behind_two;
	start(3);
	buses_write(0x1a, 1, 2);
	assert_false(device[4] & PCI_COMMAND_MEMORY);
	assert_false(device[MSIX_CAP + 3] & 0x80);
	/* Nor is a function of the root bus behind it */
	assert_int_equal(cfg_read(BRIDGE, 0, 2), 0x1b36);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
}

/* What the hypervisor uses stays where it is */
static void test_kept(void **state)
{
	fake_has_serial = true;
	fake_serial = (struct console_serial){ .has_function = true,
					       .bdf = { .bus = 1 } };
	assert_int_equal(dev_read(1, 0, 2), 0x1b36);
	device[4] = PCI_COMMAND_MEMORY;
	buses_write(0x18, 4, 0x00070700);
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 1);
	assert_int_equal(bridge[PCI_SUBORDINATE_BUS], 2);
	assert_int_equal(device[4], PCI_COMMAND_MEMORY);
	/* More of them move nothing */
	buses_write(0x1a, 1, 9);
	assert_int_equal(bridge[PCI_SUBORDINATE_BUS], 9);
}

/* Behind a bridge that sleeps is what is on, and cannot be turned off */
static void test_asleep(void **state)
{
	start(1);
	bridge[PM_CAP + PCI_PM_CONTROL] = 3;
	there = false;
	buses_write(0x19, 1, 7);
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 1);
	bridge[PM_CAP + PCI_PM_CONTROL] = 0;
	there = true;
	buses_write(0x19, 1, 7);
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 7);
	assert_false(device[4] & PCI_COMMAND_MEMORY);
}

/* To meet a function costs the same, however many bridges are known. A walk of
 * its capabilities is eight accesses or ten. */
static void test_meet(void **state)
{
	u32 before;

	there = true;
	many_count = 40;
	for (u32 i = 0; i < many_count; i++) {
		memset(many[i], 0, sizeof(many[0]));
		put32(many[i], 0x00401b36);
		many[i][PCI_HEADER_TYPE] = PCI_HEADER_BRIDGE;
		many[i][PCI_SECONDARY_BUS] = (u8)(10 + i);
		assert_int_equal(cfg_read(0x101 + i, 0, 2), 0x1b36);
	}
	before = accesses;
	assert_int_equal(dev_read(1, 0, 2), 0x1b36);
	assert_true(device[4] & PCI_COMMAND_MEMORY);
	assert_in_range(accesses - before, 20, 60);
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
		BUS_TEST(test_many),
		BUS_TEST(test_meet),
		BUS_TEST(test_many_silent),
		BUS_TEST(test_touched_meanwhile),
		BUS_TEST(test_two_writers),
		BUS_TEST(test_bridge_replaced),
		BUS_TEST(test_by_bytes),
		BUS_TEST(test_fewer),
		BUS_TEST(test_from_none),
		BUS_TEST(test_kept),
		BUS_TEST(test_asleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
