/* SOURCES: hv/assign/passthrough.c hv/assign/passthrough_func.c hv/assign/passthrough_bus.c hv/assign/passthrough_sriov.c hv/assign/passthrough_guard.c hv/assign/passthrough_list.c hv/assign/passthrough_msi.c hv/assign/passthrough_msix.c hv/assign/passthrough_move.c hv/assign/passthrough_virtual.c hv/device/pci/pci_fn.c hv/core/bus.c hv/core/slots.c tests/unit/hv/assign/functions.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI-X tables that move, and functions that come and go: a table is never
 * where the guest can reach it with no trap there */
#include "drivers/acpi/acpi.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/ratelimit.h"
#include "tests/unit/hv/assign/functions.h"

static void test_bar_moves(void **state)
{
	table_write(0, 0, 0xfee01000);
	table_write(0, 1, 0);
	table_write(0, 2, 0x41);
	table_write(0, 3, 0);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	/* Sizing with decoding off moves nothing */
	cfg_write(4, 2, 0);
	cfg_write(0x10, 4, 0xffffffff);
	cfg_write(0x10, 4, BAR);
	cfg_write(4, 2, 2);
	assert_int_equal(unmaps, 0);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	/* A real move */
	cfg_write(4, 2, 0);
	cfg_write(0x10, 4, BAR_MOVED);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	cfg_write(4, 2, 2);
	assert_int_equal(unmaps, 1);
	assert_null(bus_find(&fake_vm.mmio, BAR));
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	/* The entry went with it */
	assert_int_equal(bus_read(&fake_vm.mmio, &fake_vcpus[0],
				  BAR_MOVED + TABLE_OFF, 4),
			 0xfee01000);
	assert_int_equal(bar_moved[TABLE_OFF + 12], 0);
	/* Over RAM: no trap can be there, so there is no table either */
	cfg_write(0x10, 4, BAR_RAM);
	assert_null(bus_find(&fake_vm.mmio, BAR_RAM));
	assert_false(config[0][4] & 2);
	assert_false(config[0][MSIX_CAP + 3] & 0x80);
	cfg_write(0x10, 4, BAR);
	cfg_write(4, 2, 2);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	assert_true(config[0][MSIX_CAP + 3] & 0x80);
}

/* Decoding is off until the trap stands, and the guest does not see it */
static void seen_by_another_core(void)
{
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	assert_int_equal(bar_of(config[0]), BAR_MOVED);
	assert_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	assert_int_equal(cfg_read(0x18, 4, 2), PCI_COMMAND_MEMORY);
}

static void test_moved_while_on(void **state)
{
	table_write(0, 0, 0xfee01000);
	table_write(0, 2, 0x41);
	table_write(0, 3, 0);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	meanwhile = seen_by_another_core;
	cfg_write(0x10, 4, BAR_MOVED);
	assert_int_equal(meetings, 2);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	assert_true(config[0][MSIX_CAP + 3] & 0x80);
	assert_int_equal(bar_moved[TABLE_OFF + 12], 0);
	/* Registers beside the BAR, a bridge's windows, do not turn it off */
	writes_seen_off = 0;
	cfg_write(0x14, 4, 0x12345678);
	cfg_write(0x20, 4, 0x12345678);
	assert_int_equal(writes_seen_off, 0);
	/* The same value moves nothing, and other commands stop no core */
	cfg_write(0x10, 4, BAR_MOVED);
	cfg_write(4, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	assert_int_equal(meetings, 2);
}

/* The last write counts, whoever comes first */
static void move_back(void)
{
	cfg_write(0x10, 4, BAR);
}

static void turn_off(void)
{
	cfg_write(4, 2, 0);
}

static void test_two_movers(void **state)
{
	meanwhile = move_back;
	cfg_write(0x10, 4, BAR_MOVED);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	assert_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	meanwhile = turn_off;
	cfg_write(0x10, 4, BAR_MOVED);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
}

static void test_other_movers(void **state)
{
	/* Resized from 16 KiB to 2 MiB, the BAR loses address bits */
	cfg_write(0x10, 4, BAR_MOVED);
	cfg_write(REBAR + 8, 4, 0x0100);
	assert_int_equal(bar_of(config[0]), BAR);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(REBAR + 8, 4, 0);
	/* A register that nobody knows */
	cfg_write(SECRET, 1, 1);
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
}

/* A BAR beyond the CPU's addresses, and one that wraps */
static void test_64_bit_bar(void **state)
{
	config[0][0x10] = bar_type = PCI_BAR_64;
	cfg_write(0x14, 4, 1u << 12);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(0x14, 4, ~0u);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(0x14, 4, 0);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
}

/* However often: one mapping, and no more memory */
static void test_many_moves(void **state)
{
	u32 live = fake_pool_live;

	for (u32 i = 0; i < 55000; i++)
		cfg_write(0x10, 4, i % 3 ? BAR_MOVED : BAR_RAM);
	assert_int_equal(fake_iomaps, 1);
	assert_int_equal(fake_pool_live, live);
}

/* Each move stops all cores: who moves too often is refused for a while */
static void test_too_many_moves(void **state)
{
	fake_ratelimit_left = 3;
	cfg_write(0x10, 4, BAR_MOVED);
	cfg_write(0x10, 4, BAR);
	cfg_write(0x10, 4, BAR_MOVED);
	assert_int_equal(meetings, 3);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(0x10, 4, BAR);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(meetings, 3);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	fake_ratelimit_left = 1;
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(meetings, 4);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
}

/* The trap cannot follow, so the table must be nowhere */
static void test_no_rendezvous(void **state)
{
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	core_is_silent = true;
	cfg_write(0x10, 4, BAR_MOVED);
	core_is_silent = false;
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	assert_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_null(bus_find(&fake_vm.mmio, BAR));
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
}

/* A second function with a table comes by hot plug, decoding already */
static void plug_second(u64 at)
{
	put32(config[1] + 0x10, (u32)at);
	put32(config[1] + MSIX_CAP, 0x80000011u | (ENTRIES - 1) << 16);
	put32(config[1] + MSIX_CAP + 4, TABLE_OFF);
	alive = false;
	config[1][4] = PCI_COMMAND_MEMORY;
	cfg_read(0x20, 0, 4);
	alive = true;
}

static void test_hot_plug(void **state)
{
	plug_second(BAR_MOVED);
	assert_true(config[1][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	assert_false(config[1][MSIX_CAP + 3] & 0x80);
	/* No two tables in one place */
	cfg_write(0x10, 4, BAR_MOVED);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	assert_true(config[1][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
}

/* Where a function is that decodes nothing, another may come */
static void test_place_of_one_that_is_off(void **state)
{
	cfg_write(4, 2, 0);
	plug_second(BAR);
	assert_true(config[1][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(0x10, 4, BAR_MOVED);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
}

/* One that does not answer may decode all the same, behind a bridge that the
 * guest has given other bus numbers: its trap stays, and works */
static void test_no_answer(void **state)
{
	acpi.ecam[0].unused = true; /* nobody knows the way to bus 0 */
	table_write(0, 0, 0xfee01000);
	table_write(0, 3, 0);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	memset(config[0], 0xff, sizeof(config[0]));
	table_write(0, 0, 0x12345678);
	assert_int_equal(hw_entry(0, 0), HOST_ADDR);
	plug_second(BAR);
	assert_false(config[1][4] & PCI_COMMAND_MEMORY);
	table_write(0, 0, 0xfee02000);
	assert_int_equal(routed_addr, 0xfee02000);
}

/* It was taken from its slot on a bus that is there: its place is another's,
 * and its table is in nobody's way */
static void test_left(void **state)
{
	table_write(0, 0, 0xfee01000);
	table_write(0, 3, 0);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	memset(config[0], 0xff, sizeof(config[0]));
	put32(bar + TABLE_OFF, 0x12345678);
	assert_int_equal(table_read(0, 0), 0x12345678);
	plug_second(BAR);
	assert_true(config[1][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
}

/* Nobody asks a function for anything just after its reset was begun: it has
 * 100 ms to itself, and a core that reads may wait for it */
static void test_reset(void **state)
{
	static const struct {
		u32 offset;
		u8 size;
		u32 value;
	} writes[] = {
		{ PCIE_CAP + PCI_PCIE_CONTROL, 2, PCI_PCIE_CONTROL_FLR },
		{ PCIE_CAP + PCI_PCIE_CONTROL + 1, 1,
		  PCI_PCIE_CONTROL_FLR >> 8 },
		{ PCIE_CAP + PCI_PCIE_CONTROL, 4, PCI_PCIE_CONTROL_FLR },
		{ AF_CAP + PCI_AF_CONTROL, 1, PCI_AF_CONTROL_FLR },
		{ AF_CAP + PCI_AF_CONTROL, 4, PCI_AF_CONTROL_FLR },
		{ PM_CAP + PCI_PM_CONTROL, 2, 0 },
		{ PM_CAP + PCI_PM_CONTROL, 1, 3 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(writes); i++) {
		reads_behind_write = ~0u;
		cfg_write(writes[i].offset, writes[i].size, writes[i].value);
		assert_int_equal(reads_behind_write, 0);
	}
	/* It is as after power-on, and the guest puts back what was there */
	put32(config[0] + 4, 0);
	put32(config[0] + 0x10, 0);
	cfg_write(0x10, 4, BAR);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	assert_int_equal(meetings, 0);
	/* Other registers of the capabilities are like any */
	cfg_write(PM_CAP + PCI_PM_CONTROL + 2, 1, 0);
	assert_int_not_equal(reads_behind_write, 0);
}

/* Other hardware answers where a function was: a slot, or a bus number, has
 * changed hands. What is known of the old one is not applied to it. */
static void test_other_function_there(void **state)
{
	u32 live, iomaps;

	table_write(5, 0, 0xfee01000);
	table_write(5, 2, 0x55);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	table_write(5, 3, 0);
	/* Not ready, or gone for a while: the same one may come back */
	put32(config[0], 0xffff0001);
	cfg_read(0x18, 0, 4);
	put32(config[0], 0xffffffff);
	cfg_read(0x18, 0, 4);
	assert_int_equal(meetings, 0);
	put32(config[0], 0x99991234);
	config[0][MSI_CAP] = 0; /* no MSI */
	config[0][4] = 0;
	storm(&msi_pool[0], true); /* a late one */
	assert_int_equal(config[0][MSI_CAP + 16], 0);
	assert_int_equal(cfg_read(0x18, 0, 4), 0x99991234);
	assert_int_equal(meetings, 1);
	while (go_on())
		;
	assert_int_equal(unroutes, 1);
	assert_null(bus_find(&fake_vm.mmio, BAR));
	assert_false(config[0][MSIX_CAP + 3] & 0x80);
	cfg_write(MSI_CAP + 4, 4, 0x12345678); /* a register like others */
	assert_int_equal(cfg_read(0x18, MSI_CAP + 4, 4), 0x12345678);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	assert_int_equal(table_read(5, 3), 1);
	/* The old one's memory serves the next one but one */
	live = fake_pool_live;
	iomaps = fake_iomaps;
	for (u32 i = 0; i < 4; i++) {
		put32(config[0], 0x99991235 + i);
		config[0][4] = 0;
		assert_int_equal(cfg_read(0x18, 0, 2), 0x1235 + i);
		while (go_on())
			;
	}
	assert_int_equal(meetings, 6);
	assert_int_equal(fake_pool_live, live);
	assert_int_equal(fake_iomaps, iomaps);
}

/* Another core finds other hardware there, which the guest may not have, and
 * forgets the function before the one that moves its table is ready */
static void forget_first(void)
{
	put32(config[0], 0x99991234);
	put32(config[0] + PCI_CLASS_REVISION, (u32)PCI_CLASS_IOAPIC << 8);
	assert_int_equal(cfg_read(0x18, 0, 4), ~0u);
	put32(config[0] + MSIX_CAP, 0xc0000011u);
}

static void test_forgotten_meanwhile(void **state)
{
	meanwhile = forget_first;
	cfg_write(0x10, 4, BAR_MOVED);
	assert_int_equal(meetings, 2);
	assert_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	/* What was its register is another's */
	assert_int_equal(config[0][MSIX_CAP + 3], 0xc0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_bar_moves),
		T(test_moved_while_on),
		T(test_two_movers),
		T(test_other_movers),
		T(test_64_bit_bar),
		T(test_many_moves),
		T(test_too_many_moves),
		T(test_no_rendezvous),
		T(test_hot_plug),
		T(test_place_of_one_that_is_off),
		T(test_no_answer),
		T(test_left),
		T(test_reset),
		T(test_other_function_there),
		T(test_forgotten_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
