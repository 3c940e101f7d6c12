/* SOURCES: */
/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/pci/address.h: CF8h and ECAM, both ways */
#include "drivers/pci/address.h"
#include "tests/unit/test.h"

static void expect(struct pci_address a, u8 bus, u32 device, u32 function,
		   u32 reg)
{
	assert_int_equal(a.bdf.segment, 0);
	assert_int_equal(a.bdf.bus, bus);
	assert_int_equal(pci_device(a.bdf), device);
	assert_int_equal(pci_function(a.bdf), function);
	assert_int_equal(a.reg, reg);
}

static void test_port(void **state)
{
	struct pci_bdf bdf = { .bus = 0xab, .devfn = pci_devfn(31, 5) };

	assert_int_equal(pci_port_address(bdf, 0xff), 0x80abfdfc);
	expect(pci_port_split(0x80abfdfc, 3), 0xab, 31, 5, 0xff);
	/* Bits 1:0 are not of the register; 27:24 are AMD's */
	expect(pci_port_split(0x80000003, 0), 0, 0, 0, 0);
	expect(pci_port_split(0x8f00f810, 1), 0, 31, 0, 0xf11);
	expect(pci_port_split(0xf0000000, 0), 0, 0, 0, 0);
}

static void test_ecam(void **state)
{
	assert_int_equal(pci_ecam_offset(0, pci_devfn(0, 1)), 0x1000);
	assert_int_equal(pci_ecam_offset(255, 0xff), MIB(256) - KIB(4));
	expect(pci_ecam_split(0), 0, 0, 0, 0);
	expect(pci_ecam_split(0x1fafff), 1, 31, 2, 0xfff);
	expect(pci_ecam_split(MIB(256) - 1), 255, 31, 7, 0xfff);
	for (u32 devfn = 0; devfn < 256; devfn++)
		expect(pci_ecam_split(pci_ecam_offset(7, (u8)devfn) + 0x123), 7,
		       devfn >> 3, devfn & 7, 0x123);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_ecam),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
