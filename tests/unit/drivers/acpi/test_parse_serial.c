/* SOURCES: drivers/acpi/parse_serial.c drivers/acpi/parse.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The UARTs that SPCR and DBG2 name, in tables whole, short and damaged */
#include "drivers/acpi/parse.h"
#include "tests/unit/test.h"

static struct acpi_facts facts;

static int fresh(void **state)
{
	memset(&facts, 0, sizeof(facts));
	return 0;
}

/* The parser gets a copy of exactly @bytes, so that ASan sees any other read */
static void parse(void (*parser)(struct acpi_facts *f,
				 const struct acpi_header *t),
		  const void *table, u32 bytes)
{
	struct acpi_header *copy = malloc(bytes);

	memcpy(copy, table, bytes);
	copy->length = bytes;
	parser(&facts, copy);
	free(copy);
}

static struct acpi_spcr spcr_good(void)
{
	return (struct acpi_spcr){
		.base = { ACPI_SPACE_IO, 8, 0, 1, 0x2f8 },
		.interrupts = SPCR_INTERRUPT_8259 | SPCR_INTERRUPT_IOAPIC,
		.irq = 3,
		.gsi = 19,
		.baud = SPCR_BAUD_115200,
		.pci_device = SPCR_NO_FUNCTION,
		.pci_vendor = SPCR_NO_FUNCTION,
		.clock_hz = 1843200,
	};
}

static void test_spcr(void **state)
{
	struct acpi_spcr t = spcr_good();
	const struct acpi_serial *s = &facts.serials[0];

	parse(acpi_parse_spcr, &t, sizeof(t));
	assert_int_equal(facts.serial_count, 1);
	assert_false(s->debug || s->has_function);
	assert_int_equal(s->at.space, ACPI_SPACE_IO);
	assert_int_equal(s->at.address, 0x2f8);
	assert_true(s->has_irq && s->has_gsi);
	assert_int_equal(s->irq, 3);
	assert_int_equal(s->gsi, 19);
	assert_int_equal(s->baud, 115200);
	assert_int_equal(s->clock_hz, 1843200);
}

/* Revision 1 has 80 bytes and neither clock nor exact rate */
static void test_short(void **state)
{
	struct acpi_spcr t = spcr_good();
	u32 bytes;

	t.precise_baud = 2000000;
	for (bytes = sizeof(t.header); bytes <= sizeof(t); bytes++) {
		fresh(NULL);
		parse(acpi_parse_spcr, &t, bytes);
		assert_int_equal(facts.serial_count, bytes >= SPCR_BYTES_MIN);
		if (bytes == 80)
			assert_int_equal(facts.serials[0].baud, 115200);
		if (bytes == 84)
			assert_int_equal(facts.serials[0].baud, 2000000);
	}
}

static void test_interfaces(void **state)
{
	for (u32 i = 0; i < 256; i++) {
		struct acpi_spcr t = spcr_good();

		fresh(NULL);
		t.interface = (u8)i;
		parse(acpi_parse_spcr, &t, sizeof(t));
		assert_int_equal(facts.serial_count,
				 i == 0 || i == 1 || i == 0x12);
	}
}

static void test_bauds(void **state)
{
	for (u32 i = 0; i < 256; i++) {
		struct acpi_spcr t = spcr_good();
		u32 want = i == 3   ? 9600
			   : i == 4 ? 19200
			   : i == 6 ? 57600
			   : i == 7 ? 115200
				    : 0;

		fresh(NULL);
		t.baud = (u8)i;
		parse(acpi_parse_spcr, &t, sizeof(t));
		assert_int_equal(facts.serials[0].baud, want);
	}
}

/* No address: redirection is off. Other spaces are no 16550's. */
static void test_spcr_nowhere(void **state)
{
	struct acpi_spcr t = spcr_good();

	t.base.address = 0;
	parse(acpi_parse_spcr, &t, sizeof(t));
	for (u32 space = ACPI_SPACE_IO + 1; space < 256; space++) {
		t = spcr_good();
		t.base.space = (u8)space;
		parse(acpi_parse_spcr, &t, sizeof(t));
	}
	assert_int_equal(facts.serial_count, 0);
}

static void test_spcr_function(void **state)
{
	static const struct {
		u16 vendor, device;
		u8 slot, function;
		bool good;
	} rows[] = {
		{ 0x8086, 0xa3, 0x16, 3, true },
		{ 0xffff, 0xa3, 0x16, 3, false },
		{ 0x8086, 0xffff, 0x16, 3, false },
		{ 0, 0, 0, 0, false },
		{ 0x8086, 0xa3, 32, 3, false },
		{ 0x8086, 0xa3, 0x16, 8, false },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct acpi_spcr t = spcr_good();
		const struct acpi_serial *s = &facts.serials[0];

		fresh(NULL);
		t.pci_vendor = rows[i].vendor;
		t.pci_device = rows[i].device;
		t.pci_segment = 1;
		t.pci_bus = 0x80;
		t.pci_slot = rows[i].slot;
		t.pci_function = rows[i].function;
		parse(acpi_parse_spcr, &t, sizeof(t));
		assert_int_equal(facts.serial_count, 1);
		assert_int_equal(s->has_function, rows[i].good);
		if (!rows[i].good)
			continue;
		assert_int_equal(s->segment, 1);
		assert_int_equal(s->bus, 0x80);
		assert_int_equal(s->devfn, 0x16 << 3 | 3);
		assert_int_equal(s->vendor, 0x8086);
		assert_int_equal(s->device, 0xa3);
	}
}

/* A device of DBG2 with two addresses and their sizes behind it */
struct port {
	struct dbg2_device d;
	struct acpi_gas_raw gas[2];
	u32 sizes[2];
} __packed;

struct dbg2 {
	struct acpi_dbg2 head;
	struct port ports[3];
} __packed;

static struct dbg2 dbg2_good(void)
{
	struct dbg2 t = { .head = { .offset = sizeof(t.head), .count = 3 } };

	for (u32 i = 0; i < 3; i++)
		t.ports[i] = (struct port){
			.d = { .length = sizeof(struct port),
			       .address_count = 2,
			       .type = DBG2_SERIAL,
			       .address_offset = offsetof(struct port, gas),
			       .size_offset = offsetof(struct port, sizes) },
			.gas = { { ACPI_SPACE_MEMORY, 32, 0, 3,
				   0xfe030000 + i } },
		};
	return t;
}

static void test_dbg2(void **state)
{
	struct dbg2 t = dbg2_good();

	t.ports[1].d.type = 0x8003; /* network */
	t.ports[2].d.subtype = ACPI_UART_16550_BY_GAS;
	parse(acpi_parse_dbg2, &t, sizeof(t));
	assert_int_equal(facts.serial_count, 2);
	assert_true(facts.serials[0].debug);
	assert_int_equal(facts.serials[0].at.bits, 32);
	assert_int_equal(facts.serials[0].at.access, 3);
	assert_int_equal(facts.serials[1].at.address, 0xfe030002);
	assert_false(facts.serials[1].has_irq || facts.serials[1].has_gsi);
}

static void test_dbg2_damaged(void **state)
{
	struct dbg2 t;

	for (u32 i = 0; i < 7; i++) {
		t = dbg2_good();
		fresh(NULL);
		t.head.offset = i == 0 ? ~0u : t.head.offset;
		t.head.count = i == 1 ? ~0u : t.head.count;
		t.ports[0].d.length = i == 2 ? 0 : t.ports[0].d.length;
		t.ports[0].d.length = i == 3 ? 0xffff : t.ports[0].d.length;
		t.ports[0].d.address_offset =
			i == 4 ? 0xffff : t.ports[0].d.address_offset;
		t.ports[0].d.address_offset =
			i == 5 ? sizeof(struct port) - 11
			       : t.ports[0].d.address_offset;
		t.ports[0].d.address_count = i != 6;
		parse(acpi_parse_dbg2, &t, sizeof(t));
		assert_int_equal(facts.serial_count, i == 1   ? 3
						     : i >= 4 ? 2
							      : 0);
	}
	for (u32 bytes = sizeof(t.head.header); bytes < sizeof(t); bytes++) {
		t = dbg2_good();
		fresh(NULL);
		parse(acpi_parse_dbg2, &t, bytes);
		assert_true(facts.serial_count < 3);
	}
}

/* A full list loses the rest; any damage is survived */
static void test_random(void **state)
{
	srand(1);
	for (u32 i = 0; i < 20000; i++) {
		struct dbg2 t = dbg2_good();
		struct acpi_spcr s = spcr_good();

		for (u32 j = 0; j < 4; j++) {
			((u8 *)&t)[sizeof(t.head.header) +
				   (u32)rand() % (sizeof(t) - 36)] = (u8)rand();
			((u8 *)&s)[sizeof(s.header) +
				   (u32)rand() % (sizeof(s) - 36)] = (u8)rand();
		}
		parse(acpi_parse_dbg2, &t, sizeof(t));
		parse(acpi_parse_spcr, &s, sizeof(s));
		assert_true(facts.serial_count <= ACPI_MAX_SERIALS);
	}
	assert_int_equal(facts.serial_count, ACPI_MAX_SERIALS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_spcr, fresh),
		cmocka_unit_test_setup(test_short, fresh),
		cmocka_unit_test_setup(test_interfaces, fresh),
		cmocka_unit_test_setup(test_bauds, fresh),
		cmocka_unit_test_setup(test_spcr_nowhere, fresh),
		cmocka_unit_test_setup(test_spcr_function, fresh),
		cmocka_unit_test_setup(test_dbg2, fresh),
		cmocka_unit_test_setup(test_dbg2_damaged, fresh),
		cmocka_unit_test_setup(test_random, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
