/* SOURCES: hv/assign/passthrough.c hv/assign/passthrough_func.c hv/assign/passthrough_bus.c hv/assign/passthrough_sriov.c hv/assign/passthrough_guard.c hv/assign/passthrough_list.c hv/assign/passthrough_msi.c hv/assign/passthrough_msix.c hv/assign/passthrough_move.c hv/assign/passthrough_virtual.c hv/device/pci/pci_fn.c hv/core/bus.c hv/core/slots.c tests/unit/hv/assign/functions.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI-X tables where they are: what the guest writes, what the device gets */
#include "hv/assign/passthrough_priv.h"
#include "include/hw/pci.h"
#include "tests/unit/hv/assign/functions.h"

static void test_msix(void **state)
{
	u32 i;

	assert_int_equal(table_read(0, 3), 1);
	for (i = 0; i < ENTRIES; i++) {
		table_write(i, 0, 0xfee00000 | i << 12);
		table_write(i, 1, 0);
		table_write(i, 2, 0x30 + i);
	}
	table_write(0, 3, 0); /* unmasked before the enable */
	assert_int_equal(routes, 0);
	cfg_write(MSIX_CAP + 2, 2, 0xc000);
	assert_int_equal(config[0][MSIX_CAP + 3] & 0xc0, 0xc0);
	assert_int_equal(routes, 1);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	assert_int_equal(config[0][MSIX_CAP + 3] & 0xc0, 0x80);
	assert_int_equal(hw_entry(0, 3), 0);
	assert_int_equal(hw_entry(1, 3), 1);
	table_write(ENTRIES - 1, 3, 0);
	assert_int_equal(routed_data, 0x30 + ENTRIES - 1);
	assert_int_equal(table_read(ENTRIES - 1, 2), 0x30 + ENTRIES - 1);
	assert_int_equal(hw_entry(ENTRIES - 1, 2), HOST_DATA);
	/* Each state of a change in place is the host's */
	table_write(0, 0, 0xdead0000);
	assert_int_equal(hw_entry(0, 3), 1);
	table_write(0, 0, 0xfee03000);
	assert_int_equal(hw_entry(0, 3), 0);
	/* Another vector: the old one is left once the device forgot it */
	assert_false(routed_in_steps);
	put32(bar + TABLE_OFF + 8, 0);
	routed->moves = true;
	moves = 0;
	table_write(0, 0, 0xfee02000);
	assert_int_equal(moves, 1);
	assert_int_equal(hw_entry(0, 3), 0);
	table_write(0, 3, 1);
	assert_int_equal(hw_entry(0, 3), 1);
	cfg_write(MSIX_CAP + 2, 2, 0);
	assert_true(unroutes >= 2);
	assert_false(config[0][MSIX_CAP + 3] & 0x80);
}

static void test_msix_shapes(void **state)
{
	/* qword access, and what is beside the table */
	bus_write(&fake_vm.mmio, &fake_vcpus[0], BAR + TABLE_OFF, 8,
		  0x11fee01000ull);
	assert_int_equal(
		bus_read(&fake_vm.mmio, &fake_vcpus[0], BAR + TABLE_OFF, 8),
		0x11fee01000ull);
	assert_int_equal(
		bus_read(&fake_vm.mmio, &fake_vcpus[0], BAR + TABLE_OFF + 2, 1),
		0xe0);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], BAR + TABLE_OFF, 2, 0);
	assert_int_equal(table_read(0, 0), 0xfee01000);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], BAR + 4, 4, 0xabcd);
	assert_int_equal(bar[4] | bar[5] << 8, 0xabcd);
	assert_int_equal(bus_read(&fake_vm.mmio, &fake_vcpus[0], BAR + 4, 2),
			 0xabcd);
	/* A write that ends inside the table goes nowhere */
	memset(bar + TABLE_OFF - 4, 0xee, 4);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], BAR + TABLE_OFF - 4, 8, 0);
	assert_int_equal(bar[TABLE_OFF - 4], 0xee);
}

static void test_msix_storm(void **state)
{
	table_write(5, 0, 0xfee01000);
	table_write(5, 1, 0);
	table_write(5, 2, 0x55);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	table_write(5, 3, 0);
	assert_int_equal(hw_entry(5, 3), 0);
	storm(&msi_pool[0], true);
	assert_int_equal(hw_entry(5, 3), 1);
	table_write(5, 0, 0xfee02000); /* the guest cannot lift it */
	assert_int_equal(hw_entry(5, 3), 1);
	storm(&msi_pool[0], false);
	assert_int_equal(hw_entry(5, 3), 0);
	/* It ends when the entry holds no message: nothing is unmasked */
	storm(&msi_pool[0], true);
	table_write(5, 0, 0xdead0000);
	storm(&msi_pool[0], false);
	assert_int_equal(hw_entry(5, 3), 1);
}

/* With decoding off, another function's registers may be at the trap */
static void test_trap_of_one_that_is_off(void **state)
{
	table_write(0, 0, 0xfee01000);
	table_write(0, 2, 0x41);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	cfg_write(4, 2, 0);
	memset(bar, 0x5a, sizeof(bar));
	assert_int_equal(table_read(0, 2), 0x5a5a5a5a);
	table_write(0, 2, 0x12345678);
	table_write(0, 3, 0);
	assert_int_equal(hw_entry(0, 2), 0x12345678);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	assert_int_equal(hw_entry(1, 3), 0x5a5a5a5a);
	assert_int_equal(routes, 0);
	/* It is the table again, as it was */
	memset(bar, 0xff, sizeof(bar));
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(meetings, 0);
	assert_int_equal(table_read(0, 2), 0x41);
	table_write(0, 3, 0);
	assert_int_equal(hw_entry(0, 2), HOST_DATA);
}

/* All its messages, in pieces from now on */
static void route_all(void)
{
	for (u32 i = 0; i < ENTRIES; i++) {
		table_write(i, 0, 0xfee01000);
		table_write(i, 1, 0);
		table_write(i, 2, 0x41);
		table_write(i, 3, 0);
	}
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	assert_int_equal(routes, ENTRIES);
	config_is_slow = true;
}

static void check_unroute_pieces(void)
{
	assert_int_equal(unroutes, 0);
	for (u32 before = 0; go_on(); before = unroutes)
		assert_in_range(unroutes - before, 0, 11);
	assert_int_equal(unroutes, ENTRIES);
}

/* In between others have the lock */
static void test_lock_is_shared(void **state)
{
	const struct passthrough *pci = fake_vm.devices[VDEV_passthrough];
	u16 before;

	route_all();
	config_is_slow = false;
	before = pci->lock.owner;
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	assert_true((u16)(pci->lock.owner - before) > ENTRIES);
}

/* Turned off, it sends nothing. Its messages are taken from it in pieces. */
static void test_off_in_pieces(void **state)
{
	route_all();
	bus_write(&fake_vm.mmio, &fake_vcpus[0], 0xb0018000 + MSIX_CAP + 2, 2,
		  0);
	assert_int_equal(config[0][MSIX_CAP + 3] & 0x80, 0);
	check_unroute_pieces();
	config_is_slow = false;
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	assert_int_equal(routes, 2 * ENTRIES);
	assert_int_equal(hw_entry(ENTRIES - 1, 3), 0);
}

/* So are those of one whose place another function has: not while all cores
 * stand still */
static void test_forgotten_in_pieces(void **state)
{
	route_all();
	put32(config[0], 0x99991234);
	config[0][4] = 0;
	assert_int_equal(cfg_read(0x18, 0, 4), 0x99991234);
	assert_int_equal(meetings, 1);
	check_unroute_pieces();
	/* A hook that was on its way finds entries, and does nothing */
	for (u32 i = 0; i < ENTRIES; i++)
		storm(&msi_pool[i], true);
	/* The next one to go frees it */
	for (u32 i = 0; i < 3; i++) {
		put32(config[0], 0x99991235 + i);
		assert_int_equal(cfg_read(0x18, 0, 4), 0x99991235 + i);
		while (go_on())
			;
	}
	assert_int_equal(meetings, 4);
}

/* A large table, or a slow one, is filled in pieces. Meanwhile the device keeps
 * what it has to send, and the guest's other vCPUs go on. */
static void test_pieces(void **state)
{
	u32 pieces = 0;

	for (u32 i = 0; i < ENTRIES; i++) {
		table_write(i, 0, 0xfee01000);
		table_write(i, 1, 0);
		table_write(i, 2, 0x41);
		table_write(i, 3, 0);
	}
	table_is_slow = true;
	bus_write(&fake_vm.mmio, &fake_vcpus[0], 0xb0018000 + MSIX_CAP + 2, 2,
		  0x8000);
	assert_int_equal(routes, 0);
	while (go_on()) {
		assert_int_equal(routes, ++pieces);
		if (pieces == ENTRIES)
			break;
		assert_int_equal(config[0][MSIX_CAP + 3] & 0xc0, 0xc0);
		assert_int_equal(cfg_read(0x18, MSIX_CAP + 3, 1) & 0xc0, 0x80);
		assert_int_equal(hw_entry(pieces - 1, 3), 0);
		assert_int_equal(hw_entry(pieces, 3), 1);
	}
	assert_int_equal(pieces, ENTRIES);
	assert_false(go_on());
	assert_int_equal(config[0][MSIX_CAP + 3] & 0xc0, 0x80);
	/* Turned off in the middle, there is nothing left to do */
	bus_write(&fake_vm.mmio, &fake_vcpus[0], 0xb0018000 + MSIX_CAP + 2, 2,
		  0x8000);
	assert_true(go_on());
	bus_write(&fake_vm.mmio, &fake_vcpus[0], 0xb0018000 + MSIX_CAP + 2, 2,
		  0);
	while (go_on())
		;
	assert_int_equal(unroutes, ENTRIES);
	assert_int_equal(config[0][MSIX_CAP + 3] & 0xc0, 0);
	assert_int_equal(routes, ENTRIES + 1);
	/* So it is if memory is turned off */
	bus_write(&fake_vm.mmio, &fake_vcpus[0], 0xb0018000 + MSIX_CAP + 2, 2,
		  0x8000);
	assert_true(go_on());
	bus_write(&fake_vm.mmio, &fake_vcpus[0], 0xb0018000 + 4, 2, 0);
	while (go_on())
		;
	assert_int_equal(config[0][MSIX_CAP + 3] & 0xc0, 0);
	assert_int_equal(routes, ENTRIES + 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_msix),          T(test_msix_shapes),
		T(test_msix_storm),    T(test_lock_is_shared),
		T(test_off_in_pieces), T(test_forgotten_in_pieces),
		T(test_pieces),        T(test_trap_of_one_that_is_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
