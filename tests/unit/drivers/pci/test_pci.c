/* SOURCES: drivers/pci/pci.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space by ports and by ECAM, against a fake host bridge */
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "include/hw/pci.h"
#include "lib/log.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/test.h"

static u8 space[PCI_CONFIG_BYTES]; /* of function 2:3.1 */
static u32 address;
static u8 *ecam;

#define ECAM_HPA   0xb0000000ull
#define ECAM_BUSES 4u

static u8 *selected(u16 port)
{
	if (!(address & PCI_ADDRESS_ENABLE) ||
	    (address & 0xffff00) != (2u << 16 | 3u << 11 | 1u << 8))
		return NULL;
	return &space[(address & 0xfc) + (port & 3)];
}

static u32 device_in(u16 port, u8 size)
{
	u32 value = ~0u;
	u8 *p = selected(port);

	assert_in_range(port, PCI_PORT_DATA, PCI_PORT_DATA + 3);
	if (p)
		memcpy(&value, p, size);
	return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

static void device_out(u16 port, u8 size, u32 value)
{
	if (port == PCI_PORT_ADDRESS) {
		assert_int_equal(size, 4);
		address = value;
	} else if (selected(port)) {
		memcpy(selected(port), &value, size);
	}
}

static const struct pci_bdf function = { .bus = 2, .devfn = 3 << 3 | 1 };

static void put32(u8 *p, u32 value)
{
	memcpy(p, &value, sizeof(value));
}

static void make_function(u8 *p)
{
	static const u8 header[] = { 0x86, 0x80, 0x34, 0x12, 0, 0, 0x10, 0 };

	memcpy(p, header, sizeof(header));
	p[PCI_CAP_POINTER] = 0x50;
	p[0x50] = PCI_CAP_ID_MSI;
	p[0x51] = 0x63; /* low bits are not part of it */
	p[0x60] = PCI_CAP_ID_MSIX;
	p[0x61] = 0;
}

static int fresh(void **state)
{
	fake_port_in = device_in;
	fake_port_out = device_out;
	memset(&acpi, 0, sizeof(acpi));
	memset(space, 0, sizeof(space));
	make_function(space);
	fake_owner_count = 0;
	fake_owner_add(ECAM_HPA, MIB(256), OWNER_FIRMWARE, 0);
	fake_ioremap_reset();
	fake_log_reset();
	return 0;
}

static void test_ports(void **state)
{
	assert_int_equal(pci_read(function, 0, 4), 0x12348086);
	assert_int_equal(pci_read(function, 2, 2), 0x1234);
	assert_int_equal(pci_read(function, 3, 1), 0x12);
	pci_write(function, 0x11, 1, 0xab);
	assert_int_equal(pci_read(function, 0x10, 4), 0xab00);
	pci_write(function, 0x12, 2, 0xcdef);
	assert_int_equal(pci_read(function, 0x10, 4), 0xcdefab00);
	assert_int_equal(pci_read((struct pci_bdf){ .bus = 1 }, 0, 2), 0xffff);
}

/* What a guest may ask for and no port access can do */
static void test_bad_accesses(void **state)
{
	address = 0;
	assert_int_equal(pci_read(function, 1, 4), 0xffffffff);
	assert_int_equal(pci_read(function, 3, 2), 0xffff);
	assert_int_equal(pci_read(function, 0, 3), 0xffffff);
	assert_int_equal(pci_read(function, 256, 1), 0xff);
	assert_int_equal(pci_read(function, 0xffff, 1), 0xff);
	pci_write(function, 2, 4, 0);
	pci_write(function, 256, 1, 0);
	pci_write(function, 0, 0, 0);
	assert_int_equal(
		pci_read(
			(struct pci_bdf){ .segment = 1, .bus = 2, .devfn = 25 },
			0, 2),
		0xffff);
	assert_int_equal(pci_read(function, 0, 4), 0x12348086);
}

static void test_caps(void **state)
{
	assert_int_equal(pci_find_cap(function, PCI_CAP_ID_MSI), 0x50);
	assert_int_equal(pci_find_cap(function, PCI_CAP_ID_MSIX), 0x60);
	assert_int_equal(pci_find_cap(function, PCI_CAP_ID_PCIE), 0);
	space[0x61] = 0x50; /* a loop ends */
	assert_int_equal(pci_find_cap(function, PCI_CAP_ID_PCIE), 0);
	space[0x61] = 0x10; /* into the header */
	assert_int_equal(pci_find_cap(function, PCI_CAP_ID_PCIE), 0);
	space[PCI_STATUS] = 0;
	assert_int_equal(pci_find_cap(function, PCI_CAP_ID_MSI), 0);
}

static u32 found;
static struct pci_bdf last;

static void note(struct pci_bdf bdf, void *arg)
{
	assert_ptr_equal(arg, &found);
	found++;
	last = bdf;
}

static u8 *ecam_at(u32 bus, u32 devfn)
{
	return ecam + ((u64)(bus - 1) << 20) + ((u64)devfn << 12);
}

static void test_ecam(void **state)
{
	acpi.ecam_count = 1;
	acpi.ecam[0] = (struct acpi_ecam){ .base = ECAM_HPA,
					   .bus_first = 1,
					   .bus_last = 4 };
	ecam = malloc(ECAM_BUSES * MIB(1));
	memset(ecam, 0xff, ECAM_BUSES * MIB(1));
	fake_ioremap_add(ECAM_HPA + MIB(1), ecam, ECAM_BUSES * MIB(1));
	/* A table that points into memory is not believed */
	fake_owners[0].kind = OWNER_FREE;
	assert_int_equal(pci_read(function, 0, 4), 0x12348086); /* by ports */
	assert_int_equal(fake_log_warnings, 1);
	assert_int_equal(pci_read(function, 0, 2), 0x8086);
	assert_int_equal(fake_log_warnings, 1);
	free(ecam);
}

static void test_ecam_works(void **state)
{
	u16 ext[3];
	u8 *p;

	acpi.ecam_count = 3;
	/* One that contradicts the others is neither used nor scanned */
	acpi.ecam[2] = (struct acpi_ecam){ .base = GIB(3),
					   .bus_last = 255,
					   .unused = true };
	acpi.ecam[1] = (struct acpi_ecam){ .base = ECAM_HPA,
					   .bus_first = 1,
					   .bus_last = 4 };
	acpi.ecam[0] = acpi.ecam[2];
	ecam = malloc(ECAM_BUSES * MIB(1));
	memset(ecam, 0xff, ECAM_BUSES * MIB(1));
	fake_ioremap_add(ECAM_HPA + MIB(1), ecam, ECAM_BUSES * MIB(1));
	p = ecam_at(4, 0xff);
	memset(p, 0, 4096);
	make_function(p);
	p[4095] = 0x77;
	assert_int_equal(
		pci_read((struct pci_bdf){ .bus = 4, .devfn = 0xff }, 4095, 1),
		0x77);
	assert_int_equal(
		pci_read((struct pci_bdf){ .bus = 4, .devfn = 0xff }, 4096, 1),
		0xff);
	pci_write((struct pci_bdf){ .bus = 4, .devfn = 0xff }, 4092, 4,
		  0x12345678);
	pci_write((struct pci_bdf){ .bus = 4, .devfn = 0xff }, 4094, 2, 0xabcd);
	pci_write((struct pci_bdf){ .bus = 4, .devfn = 0xff }, 4093, 1, 0xee);
	assert_int_equal(
		pci_read((struct pci_bdf){ .bus = 4, .devfn = 0xff }, 4092, 4),
		0xabcdee78);
	/* Extended capabilities: a chain, a loop, none */
	put32(p + 0x100, 0x14810001);
	put32(p + 0x148, 0x10010015);
	assert_int_equal(
		pci_find_ext_cap((struct pci_bdf){ .bus = 4, .devfn = 0xff },
				 PCI_EXT_CAP_REBAR),
		0x148);
	assert_int_equal(
		pci_find_ext_cap((struct pci_bdf){ .bus = 4, .devfn = 0xff },
				 0x25),
		0);
	pci_find_ext_caps((struct pci_bdf){ .bus = 4, .devfn = 0xff },
			  (const u16[]){ 0x25, PCI_EXT_CAP_REBAR, 1 }, ext, 3);
	assert_int_equal(ext[0], 0);
	assert_int_equal(ext[1], 0x148);
	assert_int_equal(ext[2], 0x100);
	put32(p + 0x100, 0);
	assert_int_equal(
		pci_find_ext_cap((struct pci_bdf){ .bus = 4, .devfn = 0xff },
				 PCI_EXT_CAP_REBAR),
		0);
	assert_int_equal(pci_find_ext_cap(function, PCI_EXT_CAP_REBAR), 0);
	/* The scan: 4:1f.7 hides behind a function 0 that says "multi" */
	p = ecam_at(4, 0xf8);
	memset(p, 0, 4096);
	make_function(p);
	found = 0;
	pci_scan(note, &found);
	assert_int_equal(found, 1);
	p[PCI_HEADER_TYPE] = PCI_HEADER_MULTI;
	found = 0;
	pci_scan(note, &found);
	assert_int_equal(found, 2);
	assert_int_equal(last.bus, 4);
	assert_int_equal(last.devfn, 0xff);
	/* With ARI function 12 needs no function 8 */
	make_function(ecam_at(4, 0));
	make_function(ecam_at(4, 12));
	put32(ecam_at(4, 0) + 0x100, PCI_EXT_CAP_ARI | 1u << 16);
	found = 0;
	pci_scan(note, &found);
	assert_int_equal(found, 4);
	put32(ecam_at(4, 0) + 0x100, 0);
	found = 0;
	pci_scan(note, &found);
	assert_int_equal(found, 3);
	/* Messages end, and nothing else of the two capabilities changes */
	p[0x52] = 0x83;
	p[0x63] = 0xc0;
	pci_quiet();
	assert_int_equal(p[0x52], 0x82);
	assert_int_equal(p[0x63], 0x40);
	free(ecam);
}

static void test_scan_by_ports(void **state)
{
	found = 0;
	pci_scan(note, &found);
	assert_int_equal(found, 0); /* function 1 without function 0 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ports, fresh),
		cmocka_unit_test_setup(test_bad_accesses, fresh),
		cmocka_unit_test_setup(test_caps, fresh),
		cmocka_unit_test_setup(test_scan_by_ports, fresh),
		cmocka_unit_test_setup(test_ecam, fresh),
		cmocka_unit_test_setup(test_ecam_works, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
