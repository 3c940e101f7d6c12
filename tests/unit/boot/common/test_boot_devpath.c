/* SOURCES: boot/common/devpath.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which UART a device path leads to, and which port ACPI resources have. The
 * paths are written as firmware prints them. */
#include "boot/common/devpath.h"
#include "lib/string.h"
#include "tests/unit/test.h"

#define ROOT      2, 1, 12, 0, 0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0
#define PCI(d, f) 1, 1, 6, 0, f, d
#define SERIAL(n) 2, 1, 12, 0, 0xd0, 0x41, 0x01, 0x05, n, 0, 0, 0
#define COM(n)    2, 1, 12, 0, 0xd0, 0x41, 0x00, 0x05, n, 0, 0, 0
#define LONG(n)                                                                \
	2, 2, 19, 0, 0xd0, 0x41, 0x01, 0x05, n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define KEYBOARD   2, 1, 12, 0, 0xd0, 0x41, 0x03, 0x03, 0, 0, 0, 0
#define CTRL(n)    1, 5, 8, 0, n, 0, 0, 0
#define USB        3, 5, 6, 0, 1, 0
#define UART       3, 14, 19, 0, 0, 0, 0, 0, 0, 0xc2, 1, 0, 0, 0, 0, 0, 8, 1, 1
#define OLD_UART   0x83, 14, 19, 0, 0, 0, 0, 0, 0, 0xc2, 1, 0, 0, 0, 0, 0, 8, 1, 1
#define VENDOR     3, 10, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define END        0x7f, 0xff, 4, 0
#define NO_PORT    (-1)
#define A_FUNCTION (-2)

static void test_paths(void **state)
{
	static const struct {
		const char *name;
		s32 port;
		u8 path[96];
	} rows[] = {
		{ "COM1",
		  0x3f8,
		  { ROOT, PCI(31, 0), SERIAL(0), UART, VENDOR, END } },
		{ "COM2",
		  0x2f8,
		  { ROOT, PCI(31, 0), SERIAL(1), UART, VENDOR, END } },
		{ "COM3, no 16550", 0x3e8, { ROOT, COM(2), UART, END } },
		{ "COM4", 0x2e8, { ROOT, LONG(3), UART, END } },
		{ "no such COM", NO_PORT, { ROOT, SERIAL(4), UART, END } },
		{ "number 256",
		  NO_PORT,
		  { ROOT, 2, 1, 12, 0, 0xd0, 0x41, 1, 5, 0, 1, 0, 0, UART,
		    END } },
		{ "AMT",
		  A_FUNCTION,
		  { ROOT, PCI(0x16, 3), UART, VENDOR, END } },
		{ "a card",
		  A_FUNCTION,
		  { ROOT, PCI(28, 0), PCI(0, 0), CTRL(0), UART, END } },
		{ "a card's second",
		  NO_PORT,
		  { ROOT, PCI(28, 0), PCI(0, 0), CTRL(1), UART, END } },
		{ "an old firmware's",
		  0x2f8,
		  { ROOT, SERIAL(1), OLD_UART, END } },
		{ "on USB", NO_PORT, { ROOT, PCI(20, 0), USB, UART, END } },
		{ "of another device", NO_PORT, { ROOT, KEYBOARD, UART, END } },
		{ "of nobody", NO_PORT, { UART, END } },
		{ "a screen", NO_PORT, { ROOT, PCI(2, 0), END } },
		{ "empty", NO_PORT, { END } },
		{ "a node that is cut",
		  NO_PORT,
		  { ROOT, 1, 1, 0, 0, UART, END } },
		{ "a number that is cut",
		  NO_PORT,
		  { ROOT, 2, 1, 8, 0, 0xd0, 0x41, 1, 5, UART, END } },
	};
	struct boot_serial s;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		bool found = devpath_uart(rows[i].path, &s);

		print_message("%s\n", rows[i].name);
		assert_int_equal(found, rows[i].port != NO_PORT);
		if (!found)
			continue;
		assert_int_equal(s.way, rows[i].port == A_FUNCTION
						? BOOT_SERIAL_PCI
						: BOOT_SERIAL_PORT);
		assert_int_equal(s.port, MAX(rows[i].port, 0));
	}
}

/* Nodes and no end: given up */
static void test_endless(void **state)
{
	static u8 path[16384];
	struct boot_serial s;

	for (u32 i = 0; i < sizeof(path); i += 4)
		memcpy(path + i, (u8[]){ 1, 1, 4, 0 }, 4);
	assert_false(devpath_uart(path, &s));
}

static void test_resources(void **state)
{
	static const struct {
		u16 port;
		u8 bytes, list[24];
	} rows[] = {
		{ 0x2f8, 11, { 0x47, 1, 0xf8, 2, 0xf8, 2, 0, 8, 0x22, 8, 0 } },
		{ 0x2e8, 9, { 0x22, 8, 0, 0x4b, 0xe8, 0x02, 8, 0x79, 0 } },
		/* Behind an interrupt, and memory of 32 bits */
		{ 0x3f8,
		  23,
		  { 0x23, 16, 0,  1, 0x86, 9,    0,    1, 0, 0,    3,
		    0xfe, 0,  16, 0, 0,    0x4b, 0xf8, 3, 8, 0x79, 0 } },
		{ 0, 6, { 0x79, 0, 0x4b, 0xf8, 3, 8 } },
		{ 0, 3, { 0x22, 8, 0 } },
		{ 0, 3, { 0x4b, 0xf8, 3 } },
		{ 0, 7, { 0x47, 1, 0xf8, 2, 0xf8, 2, 0 } },
		{ 0, 2, { 0x86, 9 } },
		{ 0, 4, { 0x86, 0xff, 0xff, 1 } },
		{ 0, 0, { 0x4b, 0xf8, 3, 8 } },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(devpath_port(rows[i].list, rows[i].bytes),
				 rows[i].port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_resources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
