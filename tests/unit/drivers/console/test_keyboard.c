/* SOURCES: drivers/console/keyboard.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Scan codes of both sets as characters, and a controller that is there, is
 * not, or never stops */
#include "drivers/console/keyboard.h"

#include "include/hw/i8042.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/test.h"

static char text[256];

static char name_of(int key)
{
	if (key == KEY_PAGE_UP)
		return '^';
	if (key == KEY_PAGE_DOWN)
		return 'v';
	return key == KEY_OTHER ? '?' : (char)key;
}

/* What a stream of bytes types */
static const char *typed(bool set_2, const char *bytes, size_t len)
{
	struct keyboard k = { .set_2 = set_2 };
	u32 n = 0;

	for (size_t i = 0; i < len; i++) {
		int key = keyboard_take(&k, (u8)bytes[i]);

		if (key != KEY_NONE)
			text[n++] = name_of(key);
	}
	text[n] = 0;
	return text;
}

#define set_1(bytes, says)                                                     \
	assert_string_equal(typed(false, bytes, sizeof(bytes) - 1), says)
#define set_2(bytes, says)                                                     \
	assert_string_equal(typed(true, bytes, sizeof(bytes) - 1), says)

static void test_set_1(void **state)
{
	set_1("\x1e\x9e\x30\xb0\x39\xb9\x1c\x9c", "ab \r");
	set_1("\x01\x02\x0d\x0e\x0f\x1b\x2b\x35", "\x1b"
						  "1=\x7f\t]\\/");
	/* Shift, of either side; with caps lock letters turn */
	set_1("\x2a\x1e\x02\xaa\x1e", "A!a");
	set_1("\x36\x1e\x2a\xb6\x1e\xaa\x1e", "AAa");
	set_1("\x3a\xba\x1e\x02\x2a\x1e\x02\xaa\x3a\xba\x1e", "A1a!a");
	/* Ctrl, of either side: Ctrl-] and Ctrl-C */
	set_1("\x1d\x1b\x9b\x9d\x1b", "\x1d]");
	set_1("\xe0\x1d\x2e\xe0\x9d\x2e", "\x03"
					  "c");
	set_1("\x1d\xe0\x1d\x9d\x2e\xe0\x9d\x2e", "\x03"
						  "c");
	/* Pages; with the shift that a keyboard makes up around them */
	set_1("\xe0\x49\xe0\xc9\xe0\x51\xe0\xd1", "^v");
	set_1("\xe0\x2a\xe0\x49\xe0\xc9\xe0\xaa\x1e", "^a");
	set_1("\xe0\x35\xe0\x1c", "/\r");
	/* Keys that are none of ours; those that are no keys */
	set_1("\x3b\xbb\xe0\x48\xe0\xc8\x47", "???");
	set_1("\x38\xb8\x45\xc5\x46\xfa\xaa\xff", "");
	set_1("\xe1\x1d\x45\xe1\x9d\xc5\x1e", "a"); /* pause */
}

static void test_set_2(void **state)
{
	set_2("\x1c\xf0\x1c\x32\xf0\x32\x29\x5a", "ab \r");
	set_2("\x12\x1c\x16\xf0\x12\x1c", "A!a");
	set_2("\x14\x5b\xf0\x5b\xf0\x14\x5b", "\x1d]");
	set_2("\xe0\x14\x21\xe0\xf0\x14\x21", "\x03"
					      "c");
	set_2("\xe0\x7d\xe0\xf0\x7d\xe0\x7a\xe0\xf0\x7a", "^v");
	set_2("\x05\x83\x75\xf0\x75", "???");
	set_2("\xfa\xaa\xee\x11\xf0\x11", "");
	set_2("\xe1\x14\x77\xe1\xf0\x14\xf0\x77\x1c", "a");
	/* Found out by the first release */
	set_1("\x1c\xf0\x1c\x1c\xf0\x1c", "\ra");
}

/* A controller: what waits in it, and its configuration */
static const u8 *scan;
static u32 scan_left, reads;
static u8 config, flags;
static bool asked;

static u32 controller(u16 port, u8 size)
{
	reads++;
	if (port == KBC_STATUS)
		return (asked || scan_left ? KBC_STAT_OBF : 0u) | flags;
	assert_int_equal(port, KBC_DATA);
	if (asked) {
		asked = false;
		return config;
	}
	assert_int_not_equal(scan_left--, 0);
	return *scan++;
}

static void take_command(u16 port, u8 size, u32 value)
{
	assert_int_equal(port, KBC_COMMAND);
	assert_int_equal(value, KBC_CMD_READ_RAM);
	asked = true;
}

static void press(const u8 *bytes, u32 count)
{
	scan = bytes;
	scan_left = count;
}

static void begin(u8 with_config)
{
	static const u8 stale[] = { 0x1e, 0x30 };

	fake_port_in = controller;
	fake_port_out = take_command;
	config = with_config;
	flags = 0;
	asked = false;
	press(stale, sizeof(stale));
	keyboard_start();
	assert_int_equal(keyboard_get(), KEY_NONE);
}

static void test_controller(void **state)
{
	static const u8 keys[] = { 0x9e, 0x1e, 0x9e, 0x30 };
	static const u8 keys_2[] = { 0x1c, 0xf0, 0x1c, 0x32 };

	begin(KBC_CFG_TRANSLATE);
	press(keys, sizeof(keys));
	assert_int_equal(keyboard_get(), 'a');
	assert_int_equal(keyboard_get(), 'b');
	assert_int_equal(keyboard_get(), KEY_NONE);
	begin(0);
	press(keys_2, sizeof(keys_2));
	assert_int_equal(keyboard_get(), 'a');
	assert_int_equal(keyboard_get(), 'b');
	/* The mouse's bytes are no keys */
	flags = KBC_STAT_AUX;
	press(keys_2, sizeof(keys_2));
	assert_int_equal(keyboard_get(), KEY_NONE);
}

static u32 nothing(u16 port, u8 size)
{
	reads++;
	return 0xff;
}

static u32 flood(u16 port, u8 size)
{
	reads++;
	return port == KBC_STATUS ? KBC_STAT_OBF | KBC_STAT_IBF : 0x9e;
}

static u32 silent(u16 port, u8 size)
{
	reads++;
	return 0;
}

/* None waits for ever */
static void test_broken(void **state)
{
	fake_port_out = NULL;
	fake_port_in = nothing;
	fake_port_writes = reads = 0;
	keyboard_start();
	assert_int_equal(keyboard_get(), KEY_NONE);
	assert_int_equal(fake_port_writes, 0);
	assert_true(reads < 10);
	fake_port_in = flood;
	keyboard_start();
	assert_int_equal(keyboard_get(), KEY_NONE);
	assert_true(reads < 10000);
	fake_port_in = silent;
	reads = 0;
	keyboard_start();
	assert_int_equal(keyboard_get(), KEY_NONE);
	assert_true(reads < 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_1),
		cmocka_unit_test(test_set_2),
		cmocka_unit_test(test_controller),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
