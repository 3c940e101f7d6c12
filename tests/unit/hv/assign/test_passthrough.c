/* SOURCES: hv/assign/passthrough.c hv/assign/passthrough_func.c hv/assign/passthrough_bus.c hv/assign/passthrough_sriov.c hv/assign/passthrough_guard.c hv/assign/passthrough_list.c hv/assign/passthrough_msi.c hv/assign/passthrough_msix.c hv/assign/passthrough_move.c hv/assign/passthrough_virtual.c hv/device/pci/pci_fn.c hv/core/bus.c hv/core/slots.c tests/unit/hv/assign/functions.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Config space of passed-through functions, their MSI, and which of them the
 * guest sees */
#include "drivers/acpi/acpi.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/serial.h"
#include "tests/unit/hv/assign/functions.h"

static void test_config_paths(void **state)
{
	assert_int_equal(cfg_read(0x18, 0, 4), 0x12345678);
	assert_int_equal(cfg_read(0x18, 1, 2), 0x3456); /* by bytes */
	assert_int_equal(cfg_read(0x28, 0, 4), 0xffffffff);
	/* Hot-plugged after the scan */
	assert_int_equal(cfg_read(0x20, 0, 2), 0x5679);
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4, 0x80001800);
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4),
			 0x80001800);
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcfe, 2),
			 0x1234);
	/* Linux's check for type 1 */
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcfb, 1, 1);
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4),
			 0x80001800);
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4, 0);
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcfc, 4),
			 0xffffffff);
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcf9, 1, 6);
	assert_int_equal(cf9, 6);
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcf9, 1),
			 0xf9);
}

static void test_firmware_leftovers(void **state)
{
	assert_false(config[0][MSI_CAP + 2] & 1);
	assert_false(config[0][MSIX_CAP + 3] & 0x80);
	assert_false(cfg_read(0x18, MSI_CAP + 2, 2) & 1);
	assert_false(cfg_read(0x18, MSIX_CAP + 2, 2) & 0x8000);
}

static void test_msi(void **state)
{
	/* One message only, whatever the device could do */
	assert_int_equal(cfg_read(0x18, MSI_CAP, 4), 0x01807005);
	cfg_write(MSI_CAP + 4, 4, 0xfee01000);
	cfg_write(MSI_CAP + 8, 4, 0);
	cfg_write(MSI_CAP + 12, 2, 0x41);
	assert_int_equal(routes, 0);
	cfg_write(MSI_CAP + 2, 2, 0x0031); /* enable, 8 messages */
	assert_int_equal(routes, 1);
	assert_int_equal(routed_addr, 0xfee01000);
	assert_int_equal(routed_data, 0x41);
	assert_true(routed_in_steps);
	assert_int_equal(config[0][MSI_CAP + 2] & 0x71, 1);
	assert_int_equal(cfg_read(0x18, MSI_CAP + 4, 4), 0xfee01000);
	assert_int_equal(cfg_read(0x18, MSI_CAP + 12, 2), 0x41);
	assert_int_equal(cfg_read(0x18, MSI_CAP + 2, 2), 0x0181);
	/* Moved while on */
	cfg_write(MSI_CAP + 4, 4, 0xfee02000);
	assert_int_equal(routed_addr, 0xfee02000);
	/* Nonsense turns it off */
	cfg_write(MSI_CAP + 4, 4, 0x1000);
	assert_false(config[0][MSI_CAP + 2] & 1);
	assert_int_equal(unroutes, 1);
	cfg_write(MSI_CAP + 4, 1, 0);
	cfg_write(MSI_CAP + 6, 2, 0xfee0);
	assert_true(config[0][MSI_CAP + 2] & 1);
	/* The mask bits pass */
	cfg_write(MSI_CAP + 16, 4, 1);
	assert_int_equal(config[0][MSI_CAP + 16], 1);
	cfg_write(MSI_CAP + 2, 2, 0);
	assert_int_equal(unroutes, 2);
	assert_false(config[0][MSI_CAP + 2] & 1);
}

/* A function without mask bits has MSI off while it storms */
static void test_msi_storm(void **state)
{
	put32(config[0] + MSI_CAP, 0x008b7005);
	new_guest();
	cfg_write(MSI_CAP + 4, 4, 0xfee01000);
	cfg_write(MSI_CAP + 12, 2, 0x41);
	cfg_write(MSI_CAP + 2, 2, 1);
	assert_true(config[0][MSI_CAP + 2] & 1);
	storm(&msi_pool[0], true);
	assert_false(config[0][MSI_CAP + 2] & 1);
	assert_true(cfg_read(0x18, MSI_CAP + 2, 2) & 1);
	cfg_write(MSI_CAP + 4, 4, 0xfee02000); /* the guest cannot lift it */
	assert_false(config[0][MSI_CAP + 2] & 1);
	storm(&msi_pool[0], false);
	assert_true(config[0][MSI_CAP + 2] & 1);
	/* Turned off meanwhile, it stays off */
	storm(&msi_pool[0], true);
	cfg_write(MSI_CAP + 2, 2, 0);
	storm(&msi_pool[0], false);
	assert_false(config[0][MSI_CAP + 2] & 1);
}

/* Its own registers say where ECAM is and what memory is; firmware's word is
 * the last. The standard header is the guest's, by both ways. */
static void test_host_bridge(void **state)
{
	u8 before;

	put32(config[0] + 8, 0x06000000);
	new_guest();
	before = config[0][MSIX_CAP + 0x1c];
	writes_everywhere = true;
	for (u32 size = 1; size <= 4; size *= 2)
		cfg_write(MSIX_CAP + 0x1c, (u8)size, 0xa5a5a5a5);
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4,
		  0x80001800 | (MSIX_CAP + 0x1c));
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcfc, 4, 0xa5a5a5a5);
	assert_int_equal(config[0][MSIX_CAP + 0x1c], before);
	cfg_write(4, 2, 0);
	assert_int_equal(config[0][4], 0);
	/* MSI is no register of the chipset's */
	cfg_write(MSI_CAP + 4, 4, 0xfee01000);
	cfg_write(MSI_CAP + 2, 2, 1);
	assert_true(config[0][MSI_CAP + 2] & 1);
	/* As any other function has it */
	put32(config[0] + 8, 0x02000000);
	new_guest();
	cfg_write(MSIX_CAP + 0x1c, 1, 0xa5);
	assert_int_equal(config[0][MSIX_CAP + 0x1c], 0xa5);
}

static void test_hidden_functions(void **state)
{
	static const u32 hidden[] = { 0x08001000, 0x08002000, 0x08060000 };

	for (u32 i = 0; i < ARRAY_SIZE(hidden); i++) {
		put32(config[0] + 8, hidden[i]);
		put32(config[1] + 8, hidden[i]);
		new_guest();
		assert_int_equal(cfg_read(0x18, 0, 4), ~0u);
		assert_int_equal(cfg_read(0x20, 8, 4), ~0u); /* hot-plugged */
		cfg_write(4, 2, 0);
		assert_int_equal(config[0][4], PCI_COMMAND_MEMORY);
	}
	put32(config[0] + 8, 0x08000000); /* an 8259 */
	new_guest();
	assert_int_equal(cfg_read(0x18, 0, 4), 0x12345678);
}

/* A new guest is made where function 0 is @id of @class, of which firmware has
 * left all on; the guest before has not met it */
static void left_by_firmware(u32 id, u32 class)
{
	put32(config[0], id);
	put32(config[0] + PCI_CLASS_REVISION, class);
	new_guest();
	config[0][PCI_COMMAND] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	config[0][MSI_CAP + 2] |= PCI_MSI_ENABLE;
	config[0][MSIX_CAP + 3] |= PCI_MSIX_ENABLE >> 8;
	new_guest();
	assert_false(config[0][MSI_CAP + 2] & PCI_MSI_ENABLE);
	assert_false(config[0][MSIX_CAP + 3] & PCI_MSIX_ENABLE >> 8);
}

/* Messages, and DMA that nobody needs: no driver of a guest turns them off */
static void test_nobody_drives_it(void **state)
{
	static const u32 hidden[] = { 0x08001000, 0x08002000, 0x08060000 };

	for (u32 i = 0; i < ARRAY_SIZE(hidden); i++) {
		left_by_firmware(0x12345678, hidden[i]);
		/* An IOAPIC's interrupts are writes of its own */
		assert_true(config[0][PCI_COMMAND] & PCI_COMMAND_MASTER);
	}
	left_by_firmware(0x28c08086, 0x01040000);
	assert_int_equal(config[0][PCI_COMMAND], PCI_COMMAND_MEMORY);
	fake_has_serial = fake_serial.has_function = true;
	fake_serial.bdf = (struct pci_bdf){ .devfn = 0x18 };
	left_by_firmware(0xa13d8086, 0x07000200);
	assert_int_equal(config[0][PCI_COMMAND], PCI_COMMAND_MEMORY);
	assert_int_equal(cfg_read(0x18, PCI_VENDOR_ID, 4), 0xa13d8086);
	fake_has_serial = fake_serial.has_function = false;
}

static void test_hostile_writes(void **state)
{
	static const u8 sizes[] = { 1, 2, 4, 8 };
	u32 i;

	srand(7);
	for (i = 0; i < 50000; i++) {
		u64 value = (u64)rand() << 33 ^ (u64)rand() << 11 ^ rand();
		u32 off = (u32)rand() % 0x90;

		if (rand() % 3 == 0)
			value = 0xfee00000 | (value & 0xff);
		/* Not the BAR: the fake has one only */
		if (off < 8 || (off >= 0x40 && rand() % 2))
			bus_write(&fake_vm.mmio, &fake_vcpus[0],
				  0xb0018000 + off + 0x40, sizes[rand() % 4],
				  value);
		bus_write(&fake_vm.mmio, &fake_vcpus[0],
			  BAR + (u32)rand() % 0x1100, sizes[rand() % 4], value);
	}
}

/* Firmware's ranges that lie over each other do not keep the guest away */
static void test_ecam_overlaps(void **state)
{
	acpi.ecam_count = 3;
	acpi.ecam[1] = acpi.ecam[0];
	acpi.ecam[1].unused = true;
	acpi.ecam[2] = (struct acpi_ecam){ .base = 0xb8000000,
					   .segment = 1,
					   .bus_last = 10 };
	fake_log_reset();
	new_guest();
	assert_int_equal(fake_log_warnings, 1);
	assert_non_null(strstr(fake_log_alarm, "0xb8000000"));
	assert_int_equal(cfg_read(0x18, 0, 4), 0x12345678);
	acpi.ecam_count = 1;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ecam_overlaps),      T(test_config_paths),
		T(test_firmware_leftovers), T(test_msi),
		T(test_msi_storm),          T(test_host_bridge),
		T(test_hidden_functions),   T(test_hostile_writes),
		T(test_nobody_drives_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
