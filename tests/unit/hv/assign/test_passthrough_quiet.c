/* SOURCES: hv/assign/passthrough.c hv/assign/passthrough_func.c hv/assign/passthrough_bus.c hv/assign/passthrough_sriov.c hv/assign/passthrough_guard.c hv/assign/passthrough_list.c hv/assign/passthrough_msi.c hv/assign/passthrough_msix.c hv/assign/passthrough_move.c hv/assign/passthrough_virtual.c hv/assign/passthrough_quiet.c hv/assign/passthrough_reset.c hv/device/pci/pci_fn.c hv/core/bus.c hv/core/slots.c tests/unit/hv/assign/functions.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's functions between two lives of the guest. A bridge, 00:05.0,
 * and two functions behind it, beside the disk of functions.c: each of them
 * forgets a reset by losing its header, and answers again when it likes. Over
 * 400 lines: one machine is made up for all of it.
 */
#include "drivers/acpi/acpi.h"
#include "hv/assign/passthrough_priv.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/serial.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/hv/assign/functions.h"

#define BRIDGE 0x28u
#define INNER  0x08u
#define HIDDEN 0x53u
#define STEPS  1000000u
#define NVME   0x010802u /* class */
#define SCREEN 0x030000u

/* Where they are: also a bridge behind the bridge, 01:01.0, and what is behind
 * that, and one that is hidden from the guest */
static u8 bridge[4096], behind[2][4096], inner[4096], last[4096], hidden[4096];
static bool there, deaf, grows, deep, hides;
static u8 *asleep[4]; /* in D3 from the start */
static u32 flrs, d3s, bus_resets, before_master;
static u8 *disk;

/* A bridge that sleeps, or has lost its bus, passes nothing on */
static bool leads_to_bus(const u8 *c, u8 bus)
{
	return !(c[PM_CAP + PCI_PM_CONTROL] & 3) && c[PCI_SECONDARY_BUS] == bus;
}

static u8 *function_of(struct pci_bdf bdf)
{
	if (!bdf.bus)
		return bdf.devfn == BRIDGE && there ? bridge : NULL;
	if (!there || !leads_to_bus(bridge, 1))
		return NULL;
	if (bdf.bus == 1 && bdf.devfn < 2)
		return behind[bdf.devfn];
	if (bdf.bus == 1 && bdf.devfn == INNER)
		return deep ? inner : NULL;
	if (bdf.bus == 1 && bdf.devfn == HIDDEN)
		return hides ? hidden : NULL;
	return bdf.bus == 2 && !bdf.devfn && deep && leads_to_bus(inner, 2)
		       ? last
		       : NULL;
}

static void lose(u8 *c)
{
	memset(c + 4, 0, 2);
	memset(c + 0x0c, 0, 0x30 - 0x0c);
	c[PCI_INTERRUPT_LINE] = 0;
	c[PCIE_CAP + PCI_PCIE_CONTROL] = 0;
	c[PCIE_CAP + PCI_PCIE_CONTROL + 1] = 0;
	if (c == disk && grows)
		c[REBAR + 9] = 1;
	if (deaf)
		put32(c, ~0u);
}

static bool sleeps(const u8 *c)
{
	for (u32 i = 0; i < ARRAY_SIZE(asleep); i++)
		if (asleep[i] == c)
			return true;
	return false;
}

/* Whoever is woken has lost what it had, unless it says otherwise */
static void see_wakes(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(asleep); i++) {
		u8 *c = asleep[i];

		if (!c || c[PM_CAP + PCI_PM_CONTROL] & 3)
			continue;
		asleep[i] = NULL;
		if (!(c[PM_CAP + PCI_PM_CONTROL] & PCI_PM_NO_RESET))
			lose(c);
	}
}

/* What writes bring about: a reset is none while the function may still write
 * to memory */
static void see_writes(void)
{
	u8 *all[] = { disk, behind[0], behind[1] };

	see_wakes();
	for (u32 i = 0; i < 3; i++) {
		u8 *c = all[i];
		bool flr = c[PCIE_CAP + PCI_PCIE_CONTROL + 1] & 0x80 ||
			   c[AF_CAP + PCI_AF_CONTROL] & 1;
		bool d3 = (c[PM_CAP + PCI_PM_CONTROL] & 3) == 3 && !sleeps(c);
		bool bus = i && bridge[PCI_BRIDGE_CONTROL] & 0x40;

		if (!flr && !d3 && !bus)
			continue;
		before_master += c[4] & PCI_COMMAND_MASTER;
		if (flr)
			flrs++;
		c[AF_CAP + PCI_AF_CONTROL] = 0;
		if (c[5] || c[4]) {
			d3s += d3;
			bus_resets += bus;
		}
		lose(c);
	}
}

static u32 word(const u8 *c, u32 at)
{
	u32 value;

	memcpy(&value, c + at, 4);
	return value;
}

static void make(u8 *c, u32 id)
{
	memset(c, 0, 4096);
	put32(c, id);
	c[4] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	put32(c + 8, NVME << 8);
	put32(c + 0x14, 0xe0500000);
	c[PCI_INTERRUPT_LINE] = 11;
}

static void make_bridge(u8 *c, u32 id, u8 from, u8 to)
{
	memset(c, 0, 4096);
	put32(c, id);
	put32(c + 8, PCI_CLASS_BRIDGE << 24 | 4u << 16);
	c[PCI_HEADER_TYPE] = PCI_HEADER_BRIDGE;
	c[PCI_PRIMARY_BUS] = (u8)(from - 1);
	c[PCI_SECONDARY_BUS] = from;
	c[PCI_SUBORDINATE_BUS] = to;
	put32(c + PCI_MEMORY_WINDOW, 0xe050e040);
	c[4] = PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY;
}

/* The guest meets them */
static void meet(void)
{
	assert_int_equal(cfg_read(BRIDGE, 0, 2), 0x1b36);
	assert_int_equal(cfg_read(0x100, 0, 2), 0x1b36);
	assert_int_equal(cfg_read(0x101, 0, 2), 0x1b36);
}

static int quiet_setup(void **state)
{
	there = true;
	deaf = grows = deep = hides = false;
	memset(asleep, 0, sizeof(asleep));
	flrs = d3s = bus_resets = before_master = 0;
	make_bridge(bridge, 0x00011b36, 1, 2);
	make_bridge(inner, 0x00021b36, 2, 2);
	setup(state);
	disk = config[0];
	disk[4] |= PCI_COMMAND_MASTER;
	put32(disk + 8, NVME << 8);
	disk[PCI_INTERRUPT_LINE] = 10;
	make(behind[0], 0x00101b36);
	make(behind[1], 0x00111b36);
	make(last, 0x00131b36);
	behind[0][PCI_HEADER_TYPE] = PCI_HEADER_MULTI;
	virtual_function = function_of;
	writes_everywhere = true;
	meet();
	written = see_writes;
	fake_log_last[0] = 0;
	return 0;
}

static int quiet_teardown(void **state)
{
	virtual_function = NULL;
	written = NULL;
	fake_has_serial = false;
	tsc_khz = 0;
	return teardown(state);
}

static u32 waits; /* that it has told its caller */

static u32 quiet(void)
{
	u32 steps = 1;
	u64 until;

	waits = 0;
	for (; !passthrough_quiet_step(&fake_vm, &until); steps++) {
		assert_true(steps < STEPS);
		waits += until > rdtsc();
	}
	return steps;
}

/* Bus mastering and messages are off, whatever else can be done */
static void test_messages(void **state)
{
	for (u32 i = 0; i < ENTRIES; i++) {
		table_write(i, 0, 0xfee00000);
		table_write(i, 2, 0x40);
		table_write(i, 3, 0);
	}
	cfg_write(MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	disk[PM_CAP + PCI_PM_CONTROL] = PCI_PM_NO_RESET;
	assert_int_equal(unroutes, 0);
	quiet();
	assert_int_equal(unroutes, ENTRIES);
	assert_false(disk[MSIX_CAP + 3] & 0x80);
	assert_false(disk[4] & PCI_COMMAND_MASTER);
	assert_true(disk[4] & PCI_COMMAND_MEMORY);
	assert_true(disk[5] & PCI_COMMAND_INTX_OFF >> 8);
	assert_int_equal(table_read(3, 3), PCI_MSIX_ENTRY_MASKED);
	assert_int_equal(table_read(3, 0), 0);
	assert_int_equal(cfg_read(0x18, MSIX_CAP + 2, 2) & PCI_MSIX_ENABLE, 0);
	/* As after a cold boot: it is set up again */
	table_write(0, 0, 0xfee00000);
	table_write(0, 3, 0);
	cfg_write(MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	assert_int_equal(hw_entry(0, 0), HOST_ADDR);
}

static void test_msi(void **state)
{
	cfg_write(MSI_CAP + 4, 4, 0xfee00000);
	cfg_write(MSI_CAP + 12, 2, 0x51);
	cfg_write(MSI_CAP + 2, 2, PCI_MSI_ENABLE);
	assert_int_equal(routes, 1);
	quiet();
	assert_int_equal(unroutes, 1);
	assert_false(disk[MSI_CAP + 2] & PCI_MSI_ENABLE);
	assert_int_equal(cfg_read(0x18, MSI_CAP + 4, 4), 0);
}

/* By itself, with what firmware had set written back, but for the master */
static void test_flr(void **state)
{
	put32(disk + PCIE_CAP + PCI_PCIE_CAPS, PCI_PCIE_CAPS_FLR);
	disk[PCIE_CAP + PCI_PCIE_CONTROL] = 0x20; /* payload size */
	disk[PM_CAP] = PCI_CAP_ID_PM;
	quiet();
	assert_int_equal(flrs, 1);
	assert_int_equal(d3s, 0);
	assert_int_equal(before_master, 0);
	assert_int_equal(bar_of(disk), BAR);
	assert_int_equal(disk[4], PCI_COMMAND_MEMORY);
	assert_int_equal(disk[5], 0);
	assert_int_equal(disk[PCI_INTERRUPT_LINE], 10);
	assert_int_equal(disk[PCIE_CAP + PCI_PCIE_CONTROL], 0x20);
	assert_int_equal(disk[PCIE_CAP + PCI_PCIE_CONTROL + 1], 0);
}

static void test_af(void **state)
{
	disk[AF_CAP + PCI_AF_CAPS] = PCI_AF_CAPS_FLR;
	quiet();
	assert_int_equal(flrs, 1);
	assert_int_equal(bar_of(disk), BAR);
}

/* A driver had made a BAR smaller, and it is 2 MiB again: its table is
 * elsewhere than its trap, and not decoded until the trap has followed */
static void test_bar_grows(void **state)
{
	put32(disk + PCIE_CAP + PCI_PCIE_CAPS, PCI_PCIE_CAPS_FLR);
	cfg_write(0x10, 4, BAR_MOVED);
	assert_int_equal(bar_of(disk), BAR_MOVED);
	grows = true;
	quiet();
	assert_int_equal(flrs, 1);
	assert_int_equal(bar_of(disk), BAR);
	assert_int_equal(disk[4], 0);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(disk[4], PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR + TABLE_OFF));
}

/* Some hang by the FLR that they say they have: another way */
static void test_hangs_by_flr(void **state)
{
	put32(disk, 0x149c1022);
	disk[PM_CAP] = PCI_CAP_ID_PM;
	put32(disk + PCIE_CAP + PCI_PCIE_CAPS, PCI_PCIE_CAPS_FLR);
	disk[AF_CAP + PCI_AF_CAPS] = PCI_AF_CAPS_FLR;
	new_guest();
	quiet();
	assert_int_equal(flrs, 0);
	assert_int_equal(d3s, 1);
	assert_int_equal(bar_of(disk), BAR);
}

/* D3 and back, if that is a reset for it */
static void test_pm(void **state)
{
	new_guest();
	disk[PM_CAP] = PCI_CAP_ID_PM;
	new_guest();
	quiet();
	assert_int_equal(d3s, 1);
	assert_int_equal(flrs, 0);
	assert_int_equal(disk[PM_CAP + PCI_PM_CONTROL] & 3, 0);
	assert_int_equal(bar_of(disk), BAR);
	disk[4] |= PCI_COMMAND_MASTER;
	disk[PM_CAP + PCI_PM_CONTROL] = PCI_PM_NO_RESET;
	quiet();
	assert_int_equal(d3s, 1);
}

/* The bus, with all that is beside it; both come back with their addresses */
static void test_bus(void **state)
{
	behind[1][4] &= ~PCI_COMMAND_MASTER;
	quiet();
	assert_int_equal(bus_resets, 2);
	assert_int_equal(before_master, 0);
	assert_int_equal(bridge[PCI_BRIDGE_CONTROL], 0);
	assert_int_equal(bridge[4], PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(word(behind[i], 0x14), 0xe0500000);
		assert_int_equal(behind[i][PCI_INTERRUPT_LINE], 11);
		assert_int_equal(behind[i][4], PCI_COMMAND_MEMORY);
	}
}

/* Something is beside it that must not be reset */
static void test_bus_is_shared(void **state)
{
	put32(behind[1] + 8, SCREEN << 8);
	quiet();
	assert_int_equal(bus_resets, 0);
	assert_false(behind[0][4] & PCI_COMMAND_MASTER);
	assert_false(behind[1][4] & PCI_COMMAND_MASTER);
	assert_non_null(
		strstr(fake_log_last, "2 functions that were bus mast"));
}

/* Something that the guest has never met is beside it, as what is hidden from
 * it. A device with one function may answer for all of its eight. */
static void test_bus_has_unknown(void **state)
{
	hides = true;
	make(hidden, 0x00141b36);
	quiet();
	assert_int_equal(bus_resets, 0);
	assert_false(behind[0][4] & PCI_COMMAND_MASTER);
	behind[0][4] |= PCI_COMMAND_MASTER;
	hides = false;
	quiet();
	assert_int_equal(bus_resets, 2);
	behind[0][4] |= PCI_COMMAND_MASTER;
	config_is_slow = true;
	assert_true(quiet() > PASSTHROUGH_BUS / 10);
	assert_int_equal(bus_resets, 4);
}

static void fall_asleep(u8 *c, u32 n)
{
	asleep[n] = c;
	c[PM_CAP + PCI_PM_CONTROL] |= PCI_PM_STATE_D3;
}

/* The bridge sleeps: what is behind it is found, stopped and reset, and the
 * bridge is as it was */
static void test_bridge_sleeps(void **state)
{
	bridge[PM_CAP] = PCI_CAP_ID_PM;
	new_guest();
	meet();
	tsc_khz = 1000;
	fall_asleep(bridge, 0);
	quiet();
	assert_null(asleep[0]);
	assert_int_equal(bus_resets, 2);
	assert_int_equal(before_master, 0);
	assert_int_equal(bridge[4], PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 1);
	assert_int_equal(bridge[PCI_SUBORDINATE_BUS], 2);
	assert_int_equal(word(bridge, PCI_MEMORY_WINDOW), 0xe050e040);
	for (u32 i = 0; i < 2; i++) {
		assert_false(behind[i][4] & PCI_COMMAND_MASTER);
		assert_int_equal(word(behind[i], 0x14), 0xe0500000);
	}
	/* And once more, in the next life */
	behind[0][4] |= PCI_COMMAND_MASTER;
	fall_asleep(bridge, 0);
	quiet();
	assert_int_equal(bus_resets, 4);
}

/* So do a bridge behind it, and a function behind that: level by level */
static void test_bridges_sleep(void **state)
{
	deep = true;
	bridge[PM_CAP] = inner[PM_CAP] = last[PM_CAP] = PCI_CAP_ID_PM;
	new_guest();
	meet();
	assert_int_equal(cfg_read(0x100 + INNER, 0, 2), 0x1b36);
	assert_int_equal(cfg_read(0x200, 0, 2), 0x1b36);
	tsc_khz = 1000;
	fall_asleep(bridge, 0);
	fall_asleep(inner, 1);
	fall_asleep(last, 2);
	quiet();
	for (u32 i = 0; i < 3; i++)
		assert_null(asleep[i]);
	assert_int_equal(inner[PCI_SECONDARY_BUS], 2);
	assert_int_equal(last[4], PCI_COMMAND_MEMORY);
	assert_int_equal(word(last, 0x14), 0xe0500000);
	assert_false(behind[0][4] & PCI_COMMAND_MASTER);
	assert_false(behind[1][4] & PCI_COMMAND_MASTER);
}

/* It sleeps, and has kept all: it is woken, and reset by the way that it has */
static void test_function_sleeps(void **state)
{
	disk[PM_CAP] = PCI_CAP_ID_PM;
	put32(disk + PCIE_CAP + PCI_PCIE_CAPS, PCI_PCIE_CAPS_FLR);
	new_guest();
	tsc_khz = 1000;
	disk[PM_CAP + PCI_PM_CONTROL] = PCI_PM_NO_RESET;
	fall_asleep(disk, 0);
	quiet();
	assert_null(asleep[0]);
	assert_int_equal(flrs, 1);
	assert_int_equal(before_master, 0);
	assert_int_equal(bar_of(disk), BAR);
	/* To wake it was a reset */
	disk[4] |= PCI_COMMAND_MASTER;
	disk[PM_CAP + PCI_PM_CONTROL] = 0;
	fall_asleep(disk, 0);
	quiet();
	assert_int_equal(flrs, 1);
	assert_int_equal(bar_of(disk), BAR);
	assert_false(disk[4] & PCI_COMMAND_MASTER);
	assert_int_equal(disk[PCI_INTERRUPT_LINE], 10);
}

/* A bridge that does not wake keeps nobody for long */
static void test_never_wakes(void **state)
{
	bridge[PM_CAP] = PCI_CAP_ID_PM;
	new_guest();
	meet();
	tsc_khz = 1000;
	there = false;
	fall_asleep(bridge, 0);
	disk[4] |= PCI_COMMAND_MASTER;
	quiet();
	assert_false(disk[4] & PCI_COMMAND_MASTER);
}

/* No driver has used it: it is left alone */
static void test_unused(void **state)
{
	put32(disk + PCIE_CAP + PCI_PCIE_CAPS, PCI_PCIE_CAPS_FLR);
	disk[4] = PCI_COMMAND_MEMORY;
	behind[0][4] = behind[1][4] = 0;
	quiet();
	assert_int_equal(flrs + bus_resets, 0);
	assert_string_equal(fake_log_last, "");
}

/* It takes its time, and some never come back: all others go on */
static void test_does_not_answer(void **state)
{
	put32(disk + PCIE_CAP + PCI_PCIE_CAPS, PCI_PCIE_CAPS_FLR);
	deaf = true;
	tsc_khz = 1000; /* a second is a million ticks */
	assert_true(quiet() > 1);
	assert_in_range(waits, 5, STEPS);
	assert_int_equal(flrs, 1);
	assert_int_equal(bus_resets, 2);
	assert_non_null(
		strstr(fake_log_last, "does not answer after its reset"));
	/* The next time it is asked nothing */
	flrs = 0;
	quiet();
	assert_int_equal(flrs, 0);
}

/* What is on its way gets its time, and no more */
static void test_pending(void **state)
{
	disk[PCIE_CAP + PCI_PCIE_STATUS] = PCI_PCIE_STATUS_PENDING;
	put32(disk + PCIE_CAP + PCI_PCIE_CAPS, PCI_PCIE_CAPS_FLR);
	tsc_khz = 1000;
	assert_true(quiet() > 1);
	assert_int_equal(flrs, 1);
}

/* The hypervisor's console is as it was */
static void test_kept(void **state)
{
	u8 was[4096];

	fake_has_serial = true;
	fake_serial.has_function = true;
	fake_serial.bdf = (struct pci_bdf){ .bus = 1 };
	make(behind[0], 0x00121b36);
	assert_int_equal(cfg_read(0x100, 0, 4), 0x00121b36);
	memcpy(was, behind[0], sizeof(was));
	quiet();
	assert_memory_equal(behind[0], was, sizeof(was));
	assert_int_equal(bus_resets, 0);
}

static void write_bridge(u32 offset, u8 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0],
		  0xb0000000 + (BRIDGE << 12) + offset, 1, value);
}

/* A bridge was to get other bus numbers: nobody waits for it any more */
static void test_bus_write(void **state)
{
	write_bridge(PCI_SUBORDINATE_BUS, 9);
	fake_vcpus[0].events = 0;
	quiet();
	write_bridge(PCI_SECONDARY_BUS, 7);
	while (go_on())
		;
	assert_int_equal(bridge[PCI_SECONDARY_BUS], 7);
	assert_int_equal(bridge[PCI_SUBORDINATE_BUS], 2);
}

/* Config space takes its time: no piece is longer than a few accesses */
static void test_pieces(void **state)
{
	config_is_slow = true;
	assert_true(quiet() > 4);
}

#define QUIET_TEST(fn)                                                         \
	cmocka_unit_test_setup_teardown(fn, quiet_setup, quiet_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUIET_TEST(test_messages),
		QUIET_TEST(test_msi),
		QUIET_TEST(test_flr),
		QUIET_TEST(test_af),
		QUIET_TEST(test_bar_grows),
		QUIET_TEST(test_hangs_by_flr),
		QUIET_TEST(test_pm),
		QUIET_TEST(test_bus),
		QUIET_TEST(test_bus_is_shared),
		QUIET_TEST(test_bus_has_unknown),
		QUIET_TEST(test_bridge_sleeps),
		QUIET_TEST(test_bridges_sleep),
		QUIET_TEST(test_function_sleeps),
		QUIET_TEST(test_never_wakes),
		QUIET_TEST(test_unused),
		QUIET_TEST(test_does_not_answer),
		QUIET_TEST(test_pending),
		QUIET_TEST(test_kept),
		QUIET_TEST(test_bus_write),
		QUIET_TEST(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
