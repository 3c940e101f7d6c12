/* SOURCES: hv/assign/fch_wdt.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The watchdog of AMD's southbridges, by one that is made here: which machine
 * has one and where, whose the hardware's is, what a driver sees of the virtual
 * one, and when it bites. Over 400 lines: the chip, then its tests. */
#include "drivers/pci/pci.h"
#include "include/hw/fch.h"
#include "lib/bytes.h"
#include "tests/unit/fakes/board.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/vm_end.h"

#define OLD_BASE 0xfec80000ull /* as SB700 and SB800 boards have it */
#define UNIT_1S  3u

static u8 base_page[PAGE_SIZE], acpi_page[PAGE_SIZE];
static u8 pm[256], index_now;
static u32 control, count, base_at; /* base_at: in base_page */
static bool here, sticks, is_off;
static u32 smbus_id, smbus_mmio, touched, stops, triggers;
static u8 smbus_revision;

/* --- the southbridge --- */

u32 pci_read(struct pci_bdf bdf, u16 offset, u8 size)
{
	if (!here || bdf.bus || bdf.devfn != pci_devfn(FCH_SMBUS_SLOT, 0))
		return ~0u;
	switch (offset) {
	case PCI_VENDOR_ID:
		return smbus_id;
	case PCI_CLASS_REVISION:
		return smbus_revision;
	case FCH_SB700_MMIO:
		return smbus_mmio;
	default:
		return 0;
	}
}

static u32 pm_in(u16 port, u8 size)
{
	touched++;
	return port == FCH_PM_INDEX ? index_now : pm[index_now];
}

static void pm_out(u16 port, u8 size, u32 value)
{
	touched++;
	if (port == FCH_PM_INDEX)
		index_now = (u8)value;
	else
		pm[index_now] = (u8)value;
	if (port == FCH_PM_INDEX && size == 2)
		pm[index_now] = (u8)(value >> 8);
}

/* The register at @addr; NULL: @addr is another, in a page or of the PM's */
static u32 *watchdog_at(const volatile void *addr)
{
	const u8 *at = (const u8 *)addr;

	if (at == base_page + base_at || at == acpi_page + FCH_MMIO_WDT)
		return &control;
	if (at == base_page + base_at + WDT_COUNT ||
	    at == acpi_page + FCH_MMIO_WDT + WDT_COUNT)
		return &count;
	return NULL;
}

static u8 *plain_at(const volatile void *addr)
{
	u64 offset = (u64)((const u8 *)addr - acpi_page) - FCH_MMIO_PM;

	return offset < sizeof(pm) ? &pm[offset] : (u8 *)addr;
}

u64 mmio_read(const volatile void *addr, u8 size)
{
	const u32 *reg = watchdog_at(addr);
	u64 value = 0;

	touched++;
	if (reg && is_off)
		return ones_of(size);
	memcpy(&value, reg ? (const u8 *)reg : plain_at(addr), size);
	return value;
}

void mmio_write(volatile void *addr, u8 size, u64 value)
{
	u32 *reg = watchdog_at(addr);

	touched++;
	if (reg != &control) {
		memcpy(reg ? (u8 *)reg : plain_at(addr), &value, size);
		return;
	}
	triggers += !!(value & WDT_TRIGGER);
	stops += (control & WDT_RUN) && !(value & WDT_RUN);
	control = (control & WDT_FIRED & ~(u32)value) |
		  (control & WDT_DISABLED) |
		  ((u32)value & (WDT_RUN | WDT_POWER_OFF));
	if (sticks)
		control |= WDT_RUN;
}

/* --- the guest --- */

static void create(void)
{
	board_init();
	fake_vm.privileged = true;
	fake_vm_ends = 0;
	fake_log_reset();
	fake_port_in = pm_in;
	fake_port_out = pm_out;
	touched = stops = triggers = 0;
	assert_int_equal(fch_wdt_vdev.create(&fake_vm), 0);
}

static void machine(u32 vendor, u32 device, u8 revision)
{
	smbus_id = device << 16 | vendor;
	smbus_revision = revision;
}

/* Family 17h: by ports, and the ACPI MMIO is on */
static int setup(void **state)
{
	memset(pm, 0, sizeof(pm));
	memset(base_page, 0, sizeof(base_page));
	memset(acpi_page, 0, sizeof(acpi_page));
	control = WDT_RUN;
	count = index_now = 0;
	base_at = smbus_mmio = 0;
	here = true;
	sticks = is_off = false;
	machine(FCH_AMD_VENDOR, FCH_KERNCZ, FCH_KERNCZ_EFCH);
	pm[EFCH_PM_ISA] = EFCH_PM_ISA_MMIO;
	pm[EFCH_PM_DECODE_3] = UNIT_1S;
	fake_ioremap_reset();
	fake_ioremap_add(EFCH_WDT_BASE, base_page, PAGE_SIZE);
	fake_ioremap_add(FCH_ACPI_MMIO, acpi_page, PAGE_SIZE);
	fake_ioremap_add(OLD_BASE, base_page, PAGE_SIZE);
	fake_owner_count = 0;
	fake_timer = NULL;
	create();
	return 0;
}

static int teardown(void **state)
{
	if (fake_vm.devices[VDEV_fch_wdt])
		fch_wdt_vdev.destroy(&fake_vm);
	fake_vm.devices[VDEV_fch_wdt] = NULL;
	board_done();
	return 0;
}

static void again(void)
{
	teardown(NULL);
	create();
}

static u64 mem(u64 at, u8 size)
{
	return bus_read(&fake_vm.mmio, &fake_vcpus[0], at, size);
}

static void set(u64 at, u8 size, u64 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], at, size, value);
}

static const u64 wdt = EFCH_WDT_BASE;

/* As sp5100_tco does it: count, run, trigger */
static void arm(u32 seconds)
{
	set(wdt + WDT_COUNT, 4, seconds);
	set(wdt, 4, mem(wdt, 4) | WDT_RUN);
	set(wdt, 4, mem(wdt, 4) | WDT_TRIGGER);
}

static void pass_s(u32 seconds)
{
	board_pass_us(seconds * 1000000ull);
}

static void test_no_southbridge(void **state)
{
	static const struct {
		u32 vendor, device;
		bool here;
	} others[] = { { 0, 0, false },
		       { 0x8086, FCH_KERNCZ, true },
		       { FCH_AMD_VENDOR, FCH_SBX00, true },
		       { FCH_AMD_VENDOR, 0x7460, true } };

	for (u32 i = 0; i < ARRAY_SIZE(others); i++) {
		here = others[i].here;
		machine(others[i].vendor, others[i].device, 0x60);
		again();
		assert_null(fake_vm.devices[VDEV_fch_wdt]);
		assert_int_equal(touched, 0);
		assert_null(bus_find(&fake_vm.ports, FCH_PM_INDEX));
		assert_null(bus_find(&fake_vm.mmio, wdt));
		assert_null(bus_find(&fake_vm.mmio, FCH_ACPI_MMIO));
	}
}

static void test_where(void **state)
{
	static const struct {
		u32 vendor, device;
		u8 revision, base_reg;
		bool fixed;
	} chips[] = {
		{ FCH_ATI_VENDOR, FCH_SBX00, 0x3c, SB700_PM_WDT_BASE, false },
		{ FCH_ATI_VENDOR, FCH_SBX00, 0x41, SB800_PM_WDT_BASE, false },
		{ FCH_AMD_VENDOR, FCH_HUDSON, 0x14, SB800_PM_WDT_BASE, false },
		{ FCH_AMD_VENDOR, FCH_HUDSON, 0x42, 0, true },
		{ FCH_AMD_VENDOR, FCH_KERNCZ, 0x4b, 0, true },
		{ FCH_AMD_VENDOR, FCH_KERNCZ, 0x59, 0, true },
	};
	u32 old = (u32)OLD_BASE | 0xf0;

	for (u32 i = 0; i < ARRAY_SIZE(chips); i++) {
		machine(chips[i].vendor, chips[i].device, chips[i].revision);
		memset(pm, 0, sizeof(pm));
		base_at = chips[i].fixed ? 0 : 0xf0;
		if (!chips[i].fixed)
			memcpy(pm + chips[i].base_reg, &old, 4);
		pm[chips[i].base_reg] |= !chips[i].fixed; /* decoded */
		control = WDT_RUN;
		again();
		assert_non_null(fake_vm.devices[VDEV_fch_wdt]);
		assert_int_equal(stops, 1);
		assert_int_equal(!bus_find(&fake_vm.mmio, wdt),
				 !chips[i].fixed);
		assert_int_equal(!bus_find(&fake_vm.mmio, OLD_BASE),
				 chips[i].fixed);
		assert_int_equal(mem(chips[i].fixed ? wdt : OLD_BASE + 0xf0, 4),
				 0);
	}
}

/* Its other place, by a PCI register, by a PM register, and not in memory */
static void test_acpi_mmio(void **state)
{
	u32 mmio = FCH_ACPI_MMIO | FCH_MMIO_ON, ports = mmio | 2;

	assert_non_null(bus_find(&fake_vm.mmio, FCH_ACPI_MMIO));
	pm[EFCH_PM_ISA] = 0;
	again();
	assert_null(bus_find(&fake_vm.mmio, FCH_ACPI_MMIO));
	machine(FCH_ATI_VENDOR, FCH_SBX00, 0x41);
	memcpy(pm + SB800_PM_MMIO, &mmio, 4);
	again();
	assert_non_null(bus_find(&fake_vm.mmio, FCH_ACPI_MMIO));
	memcpy(pm + SB800_PM_MMIO, &ports, 4);
	again();
	assert_null(bus_find(&fake_vm.mmio, FCH_ACPI_MMIO));
	machine(FCH_ATI_VENDOR, FCH_SBX00, 0x3a);
	smbus_mmio = mmio;
	again();
	assert_non_null(bus_find(&fake_vm.mmio, FCH_ACPI_MMIO));
	/* The same timer at both */
	set(FCH_ACPI_MMIO + FCH_MMIO_WDT, 4, WDT_RUN);
	assert_int_equal(mem(FCH_ACPI_MMIO + FCH_MMIO_WDT, 4), WDT_RUN);
}

/* RAM, or a page that is trapped already: firmware is wrong, and nothing is
 * lost but the watchdog */
static void test_taken(void **state)
{
	const struct bus_region taken = { .base = FCH_ACPI_MMIO + 0x10,
					  .size = 16,
					  .name = "taken" };

	teardown(NULL);
	fake_owner_add(EFCH_WDT_BASE, PAGE_SIZE, OWNER_GUEST, 0);
	board_init();
	assert_int_equal(bus_add(&fake_vm.mmio, &taken), 0);
	assert_int_equal(fch_wdt_vdev.create(&fake_vm), 0);
	assert_null(bus_find(&fake_vm.mmio, wdt));
	assert_null(bus_find(&fake_vm.mmio, FCH_ACPI_MMIO + FCH_MMIO_WDT));
	assert_non_null(strstr(fake_log_last, "where something else is"));
}

static void test_hardware_stops(void **state)
{
	assert_int_equal(control & WDT_RUN, 0);
	assert_int_equal(stops, 1);
	assert_null(fake_timer);
	assert_int_equal(mem(wdt, 4), 0);
	arm(30);
	assert_int_equal(control & WDT_RUN, 0);
	assert_int_equal(triggers, 0);
	/* A PM register may switch it on, by either way to it */
	control |= WDT_RUN;
	out(FCH_PM_INDEX, 1, EFCH_PM_DECODE_3);
	assert_int_equal(control & WDT_RUN, WDT_RUN);
	out(FCH_PM_DATA, 1, UNIT_1S);
	assert_int_equal(control & WDT_RUN, 0);
	control |= WDT_RUN;
	set(FCH_ACPI_MMIO + FCH_MMIO_PM, 1, 0x80);
	assert_int_equal(control & WDT_RUN, 0);
	assert_int_equal(pm[0], 0x80);
	control |= WDT_RUN;
	fch_wdt_vdev.reset(&fake_vm);
	assert_int_equal(control & WDT_RUN, 0);
}

static void test_hardware_does_not_stop(void **state)
{
	sticks = true;
	control |= WDT_RUN;
	again();
	assert_non_null(strstr(fake_log_last, "the hypervisor feeds it"));
	assert_int_equal(triggers, 1);
	assert_int_equal(count, WDT_COUNT_MAX);
	fake_timer_fire();
	assert_int_equal(triggers, 2);
	assert_non_null(fake_timer);
}

static void test_bites(void **state)
{
	arm(30);
	assert_in_range(mem(wdt + WDT_COUNT, 4), 29, 30);
	pass_s(10);
	assert_in_range(mem(wdt + WDT_COUNT, 4), 19, 20);
	assert_int_equal(mem(wdt, 4), WDT_RUN);
	pass_s(19);
	assert_int_equal(fake_vm_ends, 0);
	pass_s(2);
	assert_int_equal(fake_vm_ends, 1);
	assert_int_equal(fake_vm_end, VM_END_FAILURE);
	pass_s(1000);
	assert_int_equal(fake_vm_ends, 1);
	/* The next life sees why it began, and clears it by a 1 */
	fch_wdt_vdev.reset(&fake_vm);
	assert_int_equal(mem(wdt, 4), WDT_FIRED);
	set(wdt, 4, 0);
	assert_int_equal(mem(wdt, 4), WDT_FIRED);
	set(wdt, 4, WDT_FIRED);
	assert_int_equal(mem(wdt, 4), 0);
}

static void test_fed(void **state)
{
	arm(10);
	for (u32 i = 0; i < 20; i++) {
		pass_s(9);
		set(wdt, 1, WDT_RUN | WDT_TRIGGER);
	}
	set(wdt, 4, 0);
	pass_s(1000);
	assert_int_equal(fake_vm_ends, 0);
	/* Running alone counts nothing, nor does a trigger while it is not */
	set(wdt, 4, WDT_TRIGGER);
	pass_s(1000);
	set(wdt, 4, WDT_RUN | WDT_POWER_OFF);
	assert_int_equal(mem(wdt, 4), WDT_RUN | WDT_POWER_OFF);
	pass_s(1000);
	assert_int_equal(fake_vm_ends, 0);
}

/* A tick is what a PM register says when it is triggered; the index is then as
 * the guest has left it */
static void test_units(void **state)
{
	out(FCH_PM_INDEX, 2, EFCH_PM_DECODE_3 | 2 << 8); /* 100 ms */
	assert_int_equal(pm[EFCH_PM_DECODE_3], 2);
	out(FCH_PM_INDEX, 1, 0x55);
	arm(100);
	assert_int_equal(index_now, 0x55);
	assert_int_equal(in(FCH_PM_INDEX, 1), 0x55);
	pass_s(9);
	assert_int_equal(fake_vm_ends, 0);
	pass_s(2);
	assert_int_equal(fake_vm_ends, 1);
	/* Where there are no ports */
	machine(FCH_AMD_VENDOR, FCH_KERNCZ, FCH_KERNCZ_MMIO);
	pm[EFCH_PM_DECODE_3] = 1; /* 10 ms */
	again();
	fake_port_in = NULL;
	arm(100);
	pass_s(2);
	assert_int_equal(fake_vm_ends, 1);
	set(wdt + WDT_COUNT, 2, 0); /* the least there is */
	set(wdt, 4, WDT_RUN | WDT_TRIGGER);
	board_pass_us(20000);
	assert_int_equal(fake_vm_ends, 2);
}

/* All else in those pages and registers is the hardware's */
static void test_passes(void **state)
{
	acpi_page[0x10] = 0x77;
	assert_int_equal(mem(FCH_ACPI_MMIO + 0x10, 1), 0x77);
	set(FCH_ACPI_MMIO + 0x20, 8, 0x1122334455667788);
	assert_int_equal(acpi_page[0x27], 0x11);
	assert_int_equal(mem(wdt + 0x20, 4), 0);
	control |= WDT_DISABLED;
	assert_int_equal(mem(wdt, 4), WDT_DISABLED);
	set(wdt + WDT_COUNT, 4, 0xffff1234);
	assert_int_equal(mem(wdt + WDT_COUNT, 4), 0x1234);
	set(wdt + WDT_COUNT + 1, 1, 0x56);
	assert_int_equal(mem(wdt, 8), 0x5634ull << 32 | WDT_DISABLED);
	assert_int_equal(count, 0);
	/* Over the end of both */
	set(wdt + 6, 4, 0);
	assert_int_equal(mem(wdt + 6, 4), 0xffffffff);
	/* Not decoded yet: the guest's driver finds nothing */
	is_off = true;
	assert_int_equal(mem(wdt, 4), 0xffffffff);
}

/* The machine's last reset was the hardware's doing */
static void test_fired_before(void **state)
{
	control = WDT_FIRED;
	again();
	assert_int_equal(mem(wdt, 4), WDT_FIRED);
}

#define FCH_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FCH_TEST(test_no_southbridge),
		FCH_TEST(test_where),
		FCH_TEST(test_acpi_mmio),
		FCH_TEST(test_taken),
		FCH_TEST(test_hardware_stops),
		FCH_TEST(test_hardware_does_not_stop),
		FCH_TEST(test_bites),
		FCH_TEST(test_fed),
		FCH_TEST(test_units),
		FCH_TEST(test_passes),
		FCH_TEST(test_fired_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
