/* SOURCES: hv/console/serial_taken.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which UART is chosen: by manifest, tables and ports, whole and wrong. UARTs
 * are a list of places that answer; what is tried is written down. Over 400
 * lines: each table has its rows. */
#include "hv/console/serial.c"

#include "lib/bytes.h"
#include "lib/string.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/test.h"

#define MEMORY   0xfe030000ull
#define FUNCTION 0x00a38086u /* at 01:02.3 */
#define SERIAL   0x07000200u /* class and revision */

static struct uart_place uarts[8], tried[32];
static u32 uart_count, tried_count, replays;
static bool present, fixed_rate; /* no rate that is asked for is possible */
static u32 config[16];
static u32 config_writes;
static struct manifest m;
static struct boot_info loader;

int uart_open(const struct uart_place *at)
{
	assert_true(tried_count < ARRAY_SIZE(tried));
	tried[tried_count++] = *at;
	present = false;
	if (at->baud && fixed_rate)
		return -EINVAL;
	for (u32 i = 0; i < uart_count; i++)
		present |= uarts[i].space == at->space &&
			   uarts[i].base == at->base &&
			   uarts[i].stride == at->stride &&
			   uarts[i].width == at->width;
	return present ? 0 : -ENODEV;
}

static bool is_function(struct pci_bdf bdf)
{
	return !bdf.segment && bdf.bus == 1 && bdf.devfn == (2 << 3 | 3);
}

u32 pci_read(struct pci_bdf bdf, u16 offset, u8 size)
{
	u32 value = is_function(bdf) ? config[offset / 4] : ~0u;

	return value >> offset % 4 * 8 & (u32)ones_of(size);
}

void pci_write(struct pci_bdf bdf, u16 offset, u8 size, u32 value)
{
	assert_true(is_function(bdf));
	assert_int_equal(offset, PCI_COMMAND);
	config[1] = value;
	config_writes++;
}

u32 acpi_isa_gsi(u8 irq)
{
	return irq == 3 ? 19 : irq;
}

void console_lock(void)
{
}

void console_unlock(void)
{
}

void history_replay_log(void)
{
	assert_true(present);
	assert_null(strstr(fake_log_last, "serial line")); /* in order */
	replays++;
}

static int fresh(void **state)
{
	memset(&acpi, 0, sizeof(acpi));
	memset(&chosen, 0, sizeof(chosen));
	chosen_by = NULL;
	memset(&m, 0, sizeof(m));
	memset(&loader, 0, sizeof(loader));
	serial_note(&loader);
	memset(config, 0, sizeof(config));
	settled = present = fixed_rate = false;
	uart_count = tried_count = replays = config_writes = 0;
	fake_owner_count = 0;
	fake_owner_add(0, GIB(1), OWNER_FREE, BOOT_MEM_CONVENTIONAL);
	fake_log_reset();
	acpi.sci_gsi = 9;
	return 0;
}

static void uart_at(enum uart_space space, u64 base, u8 stride, u8 width)
{
	uarts[uart_count++] = (struct uart_place){
		.space = space, .base = base, .stride = stride, .width = width
	};
}

static void com(u16 port)
{
	uart_at(UART_IN_PORTS, port, 0, 0);
}

static struct acpi_serial *table(bool debug, u8 space, u64 address)
{
	struct acpi_serial *s = &acpi.serials[acpi.serial_count++];

	s->debug = debug;
	s->at = (struct acpi_gas){ space, 8, 0, 1, address };
	return s;
}

/* Of the firmware's console */
static struct boot_serial *shown_on(enum boot_serial_way way, u16 port)
{
	struct boot_serial *f = &loader.serials[loader.serial_count++];

	f->way = way;
	f->port = port;
	return f;
}

static void function(u32 class, u32 bar0, u32 bar1)
{
	config[0] = FUNCTION;
	config[2] = class;
	config[4] = bar0;
	config[5] = bar1;
}

/* Where it is, or 0 */
static u64 choice(void)
{
	const struct console_serial *s;

	console_serial_init(&m);
	s = console_serial();
	assert_int_equal(replays, s != NULL);
	return s ? s->at.base : 0;
}

/* What is first in the order wins, and what does not answer is passed over */
static void test_order(void **state)
{
	static const u16 order[] = { 0x2e8, 0x3e8,     0x2e0,
				     0x2f0, COM1_PORT, COM2_PORT };

	for (u32 i = 0; i <= ARRAY_SIZE(order); i++) {
		fresh(NULL);
		m.serial.way = SERIAL_PORT;
		m.serial.address = order[0];
		table(true, ACPI_SPACE_IO, order[3]);
		table(false, ACPI_SPACE_IO, order[1]);
		shown_on(BOOT_SERIAL_PORT, order[2]);
		for (u32 j = i; j < ARRAY_SIZE(order); j++)
			com(order[j]);
		assert_int_equal(choice(),
				 i < ARRAY_SIZE(order) ? order[i] : 0);
		if (i < ARRAY_SIZE(order))
			assert_non_null(strstr(fake_log_last, "serial line"));
		/* Each that was named and does not answer is told of */
		assert_int_equal(fake_log_warnings, MIN(i, 4u));
		assert_int_equal(console_serial_is_kept(),
				 i < ARRAY_SIZE(order) &&
					 order[i] != COM1_PORT);
		/* Once and for all */
		com(order[0]);
		console_serial_init(NULL);
		assert_true(replays <= 1);
	}
}

static void test_none(void **state)
{
	com(COM1_PORT);
	m.serial.way = SERIAL_NONE;
	assert_int_equal(choice(), 0);
	assert_int_equal(tried_count, 0);
	assert_null(console_serial());
}

/* The boot ends before tables and manifest are read */
static void test_early_end(void **state)
{
	table(false, ACPI_SPACE_IO, 0x3e8);
	com(0x3e8);
	com(COM2_PORT);
	console_serial_init(NULL);
	assert_int_equal(console_serial()->at.base, COM2_PORT);
	assert_int_equal(fake_log_lines, 0);
	/* The firmware's is known already, if no configuration space is read */
	fresh(NULL);
	com(COM1_PORT);
	com(COM2_PORT);
	function(SERIAL, 0xe001, 0);
	com(0xe000);
	shown_on(BOOT_SERIAL_PCI, 0)->bus = 1;
	loader.serials[0].devfn = 2 << 3 | 3;
	shown_on(BOOT_SERIAL_PORT, COM2_PORT);
	console_serial_init(NULL);
	assert_int_equal(console_serial()->at.base, COM2_PORT);
	assert_int_equal(fake_log_lines, 0);
}

/* Serial over LAN is COM2, and no table says so: COM1 answers, too */
static void test_firmwares_console(void **state)
{
	com(COM1_PORT);
	com(COM2_PORT);
	shown_on(BOOT_SERIAL_PORT, COM2_PORT);
	assert_int_equal(choice(), COM2_PORT);
	assert_int_equal(chosen.gsi, 19);
	assert_non_null(strstr(fake_log_last, "by the firmware's console"));
	/* A PCI function */
	fresh(NULL);
	function(SERIAL, 0xe001, 0);
	com(COM1_PORT);
	com(0xe000);
	shown_on(BOOT_SERIAL_PCI, 0)->bus = 1;
	loader.serials[0].devfn = 2 << 3 | 3;
	assert_int_equal(choice(), 0xe000);
	assert_true(chosen.has_function && is_function(chosen.bdf));
	/* One that is no UART's, and none that answers */
	fresh(NULL);
	com(COM1_PORT);
	shown_on(BOOT_SERIAL_PCI, 0)->bus = 7;
	shown_on(BOOT_SERIAL_PORT, COM2_PORT);
	assert_int_equal(choice(), COM1_PORT);
	assert_int_equal(fake_log_warnings, 2);
	/* At the rate that is asked for */
	fresh(NULL);
	com(COM2_PORT);
	shown_on(BOOT_SERIAL_PORT, COM2_PORT);
	m.serial.baud = 9600;
	assert_int_equal(choice(), COM2_PORT);
	assert_int_equal(tried[0].baud, 9600);
	/* A loader of another mind is not believed in its count */
	fresh(NULL);
	loader.serial_count = ~0u;
	assert_int_equal(choice(), 0);
	assert_int_equal(fake_log_warnings, BOOT_MAX_SERIALS);
}

static void test_baud(void **state)
{
	com(COM2_PORT);
	m.serial = (struct serial_config){ .way = SERIAL_PORT,
					   .address = COM2_PORT,
					   .baud = 9600 };
	assert_int_equal(choice(), COM2_PORT);
	assert_int_equal(tried[0].baud, 9600);
	fresh(NULL);
	com(COM1_PORT);
	m.serial.baud = 19200; /* auto,19200 */
	fixed_rate = true;
	assert_int_equal(choice(), COM1_PORT);
	assert_int_equal(chosen.at.baud, 0);
	fresh(NULL);
	com(COM2_PORT);
	fixed_rate = true;
	m.serial = (struct serial_config){ .way = SERIAL_PORT,
					   .address = COM2_PORT,
					   .baud = 9600 };
	assert_int_equal(choice(), COM2_PORT);
	assert_non_null(strstr(fake_log_alarm, "cannot do 9600 baud"));
}

/* The forms that a Generic Address Structure has for registers in memory */
static void test_memory(void **state)
{
	static const struct {
		u8 bits, access, stride, width;
	} rows[] = {
		{ 8, 1, 1, 1 },   { 0, 0, 1, 1 },   { 8, 0, 1, 1 },
		{ 32, 3, 4, 4 },  { 8, 3, 4, 4 },   { 32, 0, 4, 4 },
		{ 32, 1, 4, 1 },  { 16, 2, 2, 2 },  { 64, 4, 4, 4 },
		{ 255, 9, 4, 4 }, { 1, 200, 1, 1 }, { 32, 1, 1, 1 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct acpi_serial *s;

		fresh(NULL);
		s = table(false, ACPI_SPACE_MEMORY, MEMORY);
		s->at.bits = rows[i].bits;
		s->at.access = rows[i].access;
		s->clock_hz = 48000000;
		s->baud = 57600;
		uart_at(UART_IN_MEMORY, MEMORY, rows[i].stride, rows[i].width);
		assert_int_equal(choice(), MEMORY);
		assert_int_equal(chosen.at.stride, rows[i].stride);
		assert_int_equal(chosen.at.width, rows[i].width);
		assert_int_equal(chosen.at.clock_hz, 48000000);
		assert_int_equal(chosen.at.baud_if_unset, 57600);
		assert_int_equal(chosen.at.baud, 0);
		assert_int_equal(chosen.gsi, CONSOLE_NO_GSI);
		assert_true(console_serial_is_kept());
	}
	/* The manifest tells no form: both are tried */
	fresh(NULL);
	m.serial = (struct serial_config){ .way = SERIAL_MEMORY,
					   .address = MEMORY };
	uart_at(UART_IN_MEMORY, MEMORY, 4, 4);
	assert_int_equal(choice(), MEMORY);
	assert_int_equal(tried_count, 2);
}

/* Nothing is tried at what is known to be something else */
static void test_taken(void **state)
{
	static const struct {
		enum uart_space space;
		u64 base;
	} rows[] = {
		{ UART_IN_PORTS, 0x60 },        { UART_IN_PORTS, 0xf9 },
		{ UART_IN_PORTS, 0xcf2 },       { UART_IN_PORTS, 0xcf8 },
		{ UART_IN_PORTS, 0x1f0 },       { UART_IN_PORTS, 0x3d0 },
		{ UART_IN_PORTS, 0x600 },       { UART_IN_PORTS, 0x5fd },
		{ UART_IN_PORTS, 0x608 },       { UART_IN_PORTS, 0xb2b },
		{ UART_IN_MEMORY, MIB(512) },   { UART_IN_MEMORY, 0 },
		{ UART_IN_MEMORY, 0xfee00300 }, { UART_IN_MEMORY, 0xfec00000 },
		{ UART_IN_MEMORY, 0xfed000f0 }, { UART_IN_MEMORY, 0xfed90000 },
		{ UART_IN_MEMORY, 0xb0000000 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		fresh(NULL);
		acpi.pm1a_evt = 0x600;
		acpi.pm1a_cnt = 0x604;
		acpi.pm_timer = 0x608;
		acpi.has_reset = true;
		acpi.reset = (struct acpi_gas){ ACPI_SPACE_IO, 8, 0, 1, 0xb30 };
		acpi.lapic_base = 0xfee00000;
		acpi.ioapic_count = acpi.hpet_count = acpi.iommu_count =
			acpi.ecam_count = 1;
		acpi.ioapics[0].base = 0xfec00000;
		acpi.hpets[0] = 0xfed00000;
		acpi.iommus[0] = (struct acpi_iommu){ 0xfed90000, 4096, false };
		acpi.ecam[0] = (struct acpi_ecam){ .base = 0xb0000000,
						   .bus_last = 255 };
		m.serial.way = rows[i].space == UART_IN_PORTS ? SERIAL_PORT
							      : SERIAL_MEMORY;
		m.serial.address = rows[i].base;
		uart_at(rows[i].space, rows[i].base,
			rows[i].space == UART_IN_MEMORY,
			rows[i].space == UART_IN_MEMORY);
		com(COM1_PORT);
		assert_int_equal(choice(), COM1_PORT);
		assert_int_equal(tried_count, 1);
		assert_non_null(strstr(fake_log_alarm, "no UART answers"));
	}
}

/* The interrupt: by table, or as a PC has it, and never one of the board's */
static void test_interrupt(void **state)
{
	static const struct {
		u64 port;
		bool has_irq, has_gsi;
		u8 irq;
		u32 gsi, want;
	} rows[] = {
		{ COM2_PORT, false, false, 0, 0, 19 },
		{ COM1_PORT, false, false, 0, 0, 4 },
		{ 0x3e8, false, false, 0, 0, CONSOLE_NO_GSI },
		{ 0x3e8, true, false, 10, 0, 10 },
		{ 0x3e8, true, true, 3, 4, 19 },
		{ 0x3e8, false, true, 0, 5, 5 },
		{ 0x3e8, false, true, 0, 20, CONSOLE_NO_GSI },
		{ 0x3e8, false, true, 0, ~0u, CONSOLE_NO_GSI },
		{ 0x3e8, true, false, 1, 0, CONSOLE_NO_GSI },
		{ 0x3e8, true, false, 255, 0, CONSOLE_NO_GSI },
		{ COM2_PORT, true, false, 12, 0, 19 },
		{ 0x3e8, true, false, 11, 0, CONSOLE_NO_GSI }, /* the SCI's */
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct acpi_serial *s;

		fresh(NULL);
		acpi.sci_gsi = 11;
		s = table(false, ACPI_SPACE_IO, rows[i].port);
		s->has_irq = rows[i].has_irq;
		s->has_gsi = rows[i].has_gsi;
		s->irq = rows[i].irq;
		s->gsi = rows[i].gsi;
		com((u16)rows[i].port);
		assert_int_equal(choice(), rows[i].port);
		assert_int_equal(chosen.gsi, rows[i].want);
	}
}

static void test_function(void **state)
{
	static const struct serial_config named = { .way = SERIAL_PCI,
						    .bus = 1,
						    .devfn = 2 << 3 | 3 };
	struct acpi_serial *s;

	/* Its ports first, wherever they stand */
	function(SERIAL, (u32)MEMORY, 0xe001);
	m.serial = named;
	com(0xe000);
	assert_int_equal(choice(), 0xe000);
	assert_true(chosen.has_function && is_function(chosen.bdf));
	assert_int_equal(config[1], PCI_COMMAND_IO);
	assert_int_equal(chosen.gsi, CONSOLE_NO_GSI);
	/* Or its memory, above 4 GiB */
	fresh(NULL);
	function(SERIAL, 0xfe030004, 0x38);
	config[1] = PCI_COMMAND_MEMORY;
	m.serial = named;
	uart_at(UART_IN_MEMORY, 0x38fe030000, 4, 4);
	assert_int_equal(choice(), 0x38fe030000);
	assert_int_equal(config_writes, 0);
	/* No function, no UART's class, a bridge, no address: left alone */
	for (u32 i = 0; i < 4; i++) {
		fresh(NULL);
		function(i == 1 ? 0x01060100 : SERIAL, i == 3 ? 1 : 0xe001, 0);
		config[0] = i ? FUNCTION : ~0u;
		config[3] = i == 2 ? 1 << 16 : 0;
		m.serial = named;
		com(COM1_PORT);
		assert_int_equal(choice(), COM1_PORT);
		assert_int_equal(config_writes, 0);
		assert_non_null(strstr(fake_log_alarm,
				       "01:02.3, which bulkhead.conf names"));
	}
	/* By SPCR; then only if it is the function that the table means */
	for (u32 i = 0; i < 2; i++) {
		fresh(NULL);
		function(SERIAL, 0xe001, 0);
		s = table(false, ACPI_SPACE_IO, 0xe000);
		s->has_function = s->has_irq = true;
		s->irq = 4;
		s->bus = 1;
		s->devfn = 2 << 3 | 3;
		s->vendor = 0x8086;
		s->device = i ? 0xa4 : 0xa3;
		com(0xe000);
		assert_int_equal(choice(), 0xe000);
		assert_int_equal(chosen.has_function, !i);
		assert_int_equal(config_writes, !i);
		assert_int_equal(chosen.gsi, CONSOLE_NO_GSI);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, fresh),
		cmocka_unit_test_setup(test_none, fresh),
		cmocka_unit_test_setup(test_early_end, fresh),
		cmocka_unit_test_setup(test_firmwares_console, fresh),
		cmocka_unit_test_setup(test_baud, fresh),
		cmocka_unit_test_setup(test_memory, fresh),
		cmocka_unit_test_setup(test_taken, fresh),
		cmocka_unit_test_setup(test_interrupt, fresh),
		cmocka_unit_test_setup(test_function, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
