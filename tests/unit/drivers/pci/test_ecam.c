/* SOURCES: drivers/pci/ecam.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Every range of configuration space in memory is kept from guests, whether a
 * table tells of it or the chipset alone */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "include/hw/msr.h"
#include "include/hw/q35.h"
#include "lib/errno.h"
#include "mm/owner.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

static struct {
	u64 base, size;
} kept[8];
static u32 count;
static u64 mmio_conf, pciexbar;
static bool has_msr;
static u32 bridge;

int owner_keep_device(u64 base, u64 size)
{
	kept[count].base = base;
	kept[count++].size = size;
	return base < MIB(256) ? -EBUSY : 0;
}

int rdmsr_safe(u32 msr, u64 *value)
{
	assert_int_equal(msr, MSR_AMD_MMIO_CONF);
	*value = mmio_conf;
	return has_msr ? 0 : -EIO;
}

u32 pci_read(struct pci_bdf bdf, u16 offset, u8 size)
{
	assert_int_equal(bdf.bus | bdf.devfn | bdf.segment, 0);
	if (offset == 0)
		return bridge;
	assert_int_equal(bridge >> 16, MCH_DEVICE);
	assert_true(offset == MCH_PCIEXBAR || offset == MCH_PCIEXBAR + 4);
	return (u32)(pciexbar >> (offset - MCH_PCIEXBAR) * 8);
}

static int setup(void **state)
{
	memset(&acpi, 0, sizeof(acpi));
	cpu_features = (struct cpu_features){ .vendor = VENDOR_AMD };
	bridge = 0x14501022;
	has_msr = true;
	mmio_conf = 0;
	count = 0;
	fake_log_reset();
	return 0;
}

static void test_table(void **state)
{
	acpi.ecam_count = 2;
	acpi.ecam[0] = (struct acpi_ecam){ .base = 0xe0000000, .bus_last = 63 };
	acpi.ecam[1] = (struct acpi_ecam){
		.base = MIB(16), .bus_first = 2, .bus_last = 2, .unused = true
	};
	pci_keep_ecam();
	assert_int_equal(count, 2);
	assert_int_equal(kept[0].base, 0xe0000000);
	assert_int_equal(kept[0].size, MIB(64));
	assert_int_equal(kept[1].base, MIB(18));
	assert_int_equal(kept[1].size, MIB(1));
	assert_int_equal(fake_log_warnings, 1);
}

static void test_amd(void **state)
{
	mmio_conf = 0xf0000000 | 8 << 2;
	pci_keep_ecam();
	assert_int_equal(count, 0); /* it is off */
	mmio_conf |= AMD_MMIO_CONF_ENABLE;
	pci_keep_ecam();
	assert_int_equal(count, 1);
	assert_int_equal(kept[0].base, 0xf0000000);
	assert_int_equal(kept[0].size, MIB(256));
	has_msr = false;
	pci_keep_ecam();
	has_msr = true;
	cpu_features.vendor = VENDOR_INTEL;
	pci_keep_ecam();
	assert_int_equal(count, 1);
}

static void test_q35(void **state)
{
	cpu_features.vendor = VENDOR_INTEL;
	bridge = MCH_DEVICE << 16 | Q35_VENDOR;
	pciexbar = 0xb0000000;
	pci_keep_ecam();
	assert_int_equal(count, 0);
	pciexbar = 0x8b8000003ull; /* 128 MiB, above 4 GiB */
	pci_keep_ecam();
	assert_int_equal(count, 1);
	assert_int_equal(kept[0].base, 0x8b8000000ull);
	assert_int_equal(kept[0].size, MIB(128));
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_table),
		T(test_amd),
		T(test_q35),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
