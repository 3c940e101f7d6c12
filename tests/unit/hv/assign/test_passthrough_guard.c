/* SOURCES: hv/assign/passthrough_guard.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which registers of the machine's own functions the guest may write */
#include "hv/assign/passthrough_priv.h"
#include "include/hw/pci.h"
#include "include/hw/q35.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/serial.h"
#include "tests/unit/test.h"

#define INTEL       0x8086u
#define AMD         0x1022u
#define HOST_BRIDGE 0x060000u
#define PERIPHERAL  0x088000u

#define VMCONFIG 0x44u
#define MSI_PASS 2u

static u32 id, class, vmconfig;

void pci_write(struct pci_bdf bdf, u16 offset, u8 size, u32 value)
{
	assert_int_equal(offset, VMCONFIG);
	assert_int_equal(size, 4);
	vmconfig = value;
}

u32 pci_read(struct pci_bdf bdf, u16 offset, u8 size)
{
	if (offset == VMCONFIG)
		return vmconfig;
	if (offset == PCI_CLASS_REVISION)
		return class << 8;
	assert_int_equal(offset, PCI_VENDOR_ID);
	return size == 2 ? (u16)id : id;
}

void pci_quiet_function(struct pci_bdf bdf)
{
}

static struct vfunc function(u32 vendor, u32 device, u32 class_code,
			     struct pci_bdf bdf)
{
	struct vfunc f = { .bdf = bdf };

	id = vendor | device << 16;
	class = class_code;
	passthrough_guard_init(&f);
	return f;
}

static void test_fixed(void **state)
{
	static const struct pci_bdf bus0 = { .devfn = 0x28 };
	struct vfunc f = function(INTEL, 0x29c0, HOST_BRIDGE, bus0);

	for (u32 at = 0; at < PCI_ECAM_BYTES; at++)
		assert_int_equal(passthrough_write_is_refused(&f, at, 1),
				 at >= PCI_CAP_FIRST);
	/* The memory map of a server, and a neighbour of it */
	f = function(INTEL, 0x2024, PERIPHERAL, bus0);
	assert_true(passthrough_write_is_refused(&f, 0x90, 4));
	f = function(INTEL, 0x2025, PERIPHERAL, bus0);
	assert_false(passthrough_write_is_refused(&f, 0x90, 4));
	f = function(AMD, 0x2024, PERIPHERAL, bus0);
	assert_false(passthrough_write_is_refused(&f, 0x90, 4));
}

/* The index, whole or in part, and not the data that follows it */
static void test_amd(void **state)
{
	static const struct pci_bdf roots[] = { { 0 }, { .bus = 0x40 } };
	static const struct pci_bdf northbridge = { .devfn = 0x18 << 3 | 1 };
	struct vfunc f;

	for (u32 i = 0; i < ARRAY_SIZE(roots); i++) {
		f = function(AMD, 0x1450, HOST_BRIDGE, roots[i]);
		assert_false(passthrough_write_is_refused(&f, 0x60, 4));
		assert_false(passthrough_write_is_refused(&f, 0x63, 1));
		assert_false(passthrough_write_is_refused(&f, 0xb8, 4));
		assert_true(passthrough_write_is_refused(&f, 0x64, 4));
		assert_true(passthrough_write_is_refused(&f, 0xbc, 1));
	}
	/* There, it is a part of the DRAM map */
	f = function(AMD, 0x1601, HOST_BRIDGE, northbridge);
	assert_true(passthrough_write_is_refused(&f, 0x60, 4));
}

static void test_intel(void **state)
{
	static const struct pci_bdf root = { 0 };
	struct vfunc f = function(INTEL, MCH_DEVICE, HOST_BRIDGE, root);

	assert_true(passthrough_write_is_refused(&f, MCH_PCIEXBAR, 4));
	assert_true(passthrough_write_is_refused(&f, MCH_PAM0, 1));
	assert_false(passthrough_write_is_refused(&f, 0xc8, 2));
	assert_true(passthrough_write_is_refused(&f, 0xc8, 4));
	assert_true(passthrough_write_is_refused(&f, 0xca, 2));
}

static void test_hidden(void **state)
{
	static const struct pci_bdf any = { .bus = 3, .devfn = 0x29 };
	static const struct {
		u32 class;
		bool hidden;
	} rows[] = {
		{ 0x080010, true },  { 0x080020, true },
		{ 0x080600, true },  { 0x080000, false },
		{ 0x080030, false }, { HOST_BRIDGE, false },
		{ 0x020000, false },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		class = rows[i].class;
		assert_int_equal(passthrough_is_hidden(any), rows[i].hidden);
	}
}

/* A VMD, whose disks' messages go through its own table, and one that Linux has
 * let pass */
static void test_vmd(void **state)
{
	static const struct pci_bdf any = { .devfn = 0x2d };
	struct vfunc f;

	vmconfig = 0x100 | MSI_PASS;
	fake_log_reset();
	f = function(INTEL, 0x201d, 0x010400, any);
	assert_int_equal(vmconfig, 0x100);
	assert_int_equal(fake_log_lines, 1);
	for (u32 at = 0; at < 0x60; at++)
		assert_int_equal(passthrough_write_is_refused(&f, at, 1),
				 at / 4 == VMCONFIG / 4);
	assert_true(passthrough_write_is_refused(&f, 0x46, 2));
	assert_false(passthrough_is_hidden(any));
	passthrough_guard_report(any);
	assert_int_equal(fake_log_lines, 1);
	f = function(INTEL, 0xa77f, 0x010400, any);
	assert_int_equal(fake_log_lines, 1);
	assert_true(f.vmd);
	f = function(INTEL, 0x28c0, 0x010400, any);
	assert_true(passthrough_is_hidden(any));
	passthrough_guard_report(any);
	assert_non_null(strstr(fake_log_last, "the VMD at 0000:00:05.5, and"));
	/* The same number of another maker's */
	f = function(AMD, 0x28c0, 0x010400, any);
	assert_false(passthrough_is_hidden(any) || f.vmd);
}

/* The console's function: not a register, and not of its neighbours */
static void test_console(void **state)
{
	static const struct pci_bdf others[] = {
		{ .bus = 2, .devfn = 0xb2 },
		{ .bus = 1, .devfn = 0xb3 },
		{ .segment = 1, .bus = 2, .devfn = 0xb3 },
	};
	struct vfunc f;

	fake_has_serial = fake_serial.has_function = true;
	fake_serial.bdf = (struct pci_bdf){ .bus = 2, .devfn = 0xb3 };
	f = function(INTEL, 0xa13d, 0x070002, fake_serial.bdf);
	assert_true(f.kept);
	for (u32 at = 0; at < PCI_ECAM_BYTES; at++)
		assert_true(passthrough_write_is_refused(&f, at, 1));
	for (u32 i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(function(INTEL, 0xa13d, 0x070002, others[i]).kept);
	fake_serial.has_function = false;
	assert_false(function(INTEL, 0xa13d, 0x070002, fake_serial.bdf).kept);
	fake_has_serial = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed),   cmocka_unit_test(test_amd),
		cmocka_unit_test(test_console), cmocka_unit_test(test_intel),
		cmocka_unit_test(test_hidden),  cmocka_unit_test(test_vmd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
