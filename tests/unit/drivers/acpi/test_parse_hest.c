/* SOURCES: drivers/acpi/parse_hest.c check/hest.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HESTs of servers whose firmware takes corrected errors first, of some that
 * leave them to the operating system, and tables that no machine may have.
 */
#include "drivers/acpi/parse.h"
#include "include/hw/acpi_hest.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define TYPES 16u

static u8 buf[KIB(64)];
static u32 used, count;
static struct acpi_facts facts;

static int fresh(void **state)
{
	memset(buf, 0, sizeof(buf));
	memset(&facts, 0, sizeof(facts));
	fake_log_reset();
	used = sizeof(struct acpi_hest);
	count = 0;
	return 0;
}

static void add(const void *bytes, u32 size)
{
	assert_true(used + size <= sizeof(buf));
	memcpy(buf + used, bytes, size);
	used += size;
}

/* Parsed from a block of its exact size, so that ASan sees what is read */
static u64 parse(void)
{
	struct acpi_header *t = malloc(used);

	((struct acpi_hest *)buf)->header.length = used;
	((struct acpi_hest *)buf)->count = count;
	memcpy(t, buf, used);
	acpi_parse_hest(&facts, t);
	free(t);
	return facts.firmware_banks;
}

static void banks(u8 first, u32 number)
{
	for (u32 i = 0; i < number; i++) {
		const struct hest_bank b = { .number = (u8)(first + i) };

		add(&b, sizeof(b));
	}
}

/* HEST_CORRECTED or HEST_DEFERRED */
static void source(u16 type, u8 flags, u8 first, u8 number)
{
	const struct hest_corrected e = { .type = type,
					  .flags = flags,
					  .banks = number };

	add(&e, sizeof(e));
	banks(first, number);
	count++;
}

static void machine_check(u8 flags, u8 number)
{
	const struct hest_machine_check e = { .type = HEST_MACHINE_CHECK,
					      .flags = flags,
					      .enabled = 1,
					      .banks = number };

	add(&e, sizeof(e));
	banks(0, number);
	count++;
}

/* One without banks */
static void other(u16 type, u32 bytes)
{
	const u8 rest[HEST_GENERIC_V2_BYTES] = { (u8)type, (u8)(type >> 8) };

	add(rest, bytes);
	count++;
}

static void all_others(void)
{
	other(HEST_NMI, HEST_NMI_BYTES);
	other(HEST_AER_ROOT_PORT, HEST_ROOT_PORT_BYTES);
	other(HEST_AER_DEVICE, HEST_DEVICE_BYTES);
	other(HEST_AER_BRIDGE, HEST_BRIDGE_BYTES);
	other(HEST_GENERIC, HEST_GENERIC_BYTES);
	other(HEST_GENERIC_V2, HEST_GENERIC_V2_BYTES);
}

static void test_firmware_first(void **state)
{
	machine_check(HEST_FIRMWARE_FIRST, 20);
	all_others();
	source(HEST_CORRECTED, HEST_FIRMWARE_FIRST, 4, 3);
	assert_int_equal(parse(), 0x70);
	assert_int_equal(fake_log_lines, 0);
}

/* What is not marked is the operating system's, whatever else is set; so are
 * the errors that a poll never takes */
static void test_others(void **state)
{
	machine_check(HEST_FIRMWARE_FIRST, 20);
	source(HEST_CORRECTED, 0, 0, 8);
	source(HEST_CORRECTED, HEST_GHES_ASSIST, 8, 8);
	assert_int_equal(parse(), 0);
	assert_int_equal(fake_log_lines, 0);
}

static void test_deferred(void **state)
{
	source(HEST_CORRECTED, HEST_FIRMWARE_FIRST, 0, 1);
	source(HEST_DEFERRED, HEST_FIRMWARE_FIRST, 63, 1);
	assert_int_equal(parse(), BIT(63) | BIT(0));
	/* A bank that no word has a bit for */
	source(HEST_CORRECTED, HEST_FIRMWARE_FIRST, 64, 191);
	assert_int_equal(parse(), BIT(63) | BIT(0));
}

/* From type 12 on an entry says how long it is */
static void test_later_types(void **state)
{
	const struct hest_entry late = { 0x0101, 24 };
	u32 start = used;

	add(&late, sizeof(late));
	used = start + late.length;
	count++;
	source(HEST_CORRECTED, HEST_FIRMWARE_FIRST, 2, 1);
	assert_int_equal(parse(), 4);
	assert_int_equal(fake_log_lines, 0);
}

static void test_count(void **state)
{
	source(HEST_CORRECTED, HEST_FIRMWARE_FIRST, 1, 1);
	source(HEST_CORRECTED, HEST_FIRMWARE_FIRST, 2, 1);
	count = 1;
	assert_int_equal(parse(), 2);
	assert_int_equal(fake_log_lines, 0);
	/* There are fewer than it says */
	count = ~0u;
	assert_int_equal(parse(), 6);
	assert_non_null(strstr(fake_log_last, "byte 192"));
}

/* Nobody knows how long these are */
static void test_unknown(void **state)
{
	for (u16 type = 3; type <= 5; type++) {
		fresh(state);
		source(HEST_CORRECTED, HEST_FIRMWARE_FIRST, 1, 1);
		other(type, 40);
		source(HEST_CORRECTED, HEST_FIRMWARE_FIRST, 2, 1);
		assert_int_equal(parse(), 2);
		assert_int_equal(fake_log_warnings, 1);
	}
}

/* Cut at each byte, with each number of banks, each type, each length */
static void test_hostile(void **state)
{
	u32 whole;

	machine_check(HEST_FIRMWARE_FIRST, 1);
	all_others();
	source(HEST_CORRECTED, HEST_FIRMWARE_FIRST, 3, 2);
	whole = used;
	for (used = sizeof(struct acpi_header); used < whole; used++)
		assert_int_equal(parse(), 0);
	assert_int_equal(parse(), 0x18);
	for (u32 number = 0; number < 256; number++) {
		buf[sizeof(struct acpi_hest) +
		    offsetof(struct hest_machine_check, banks)] = (u8)number;
		(void)parse();
	}
	for (u32 type = 0; type < TYPES * 256; type++) {
		u16 word = (u16)(type / 256 | (type % 256 == 255) << 8);

		memcpy(buf + sizeof(struct acpi_hest), &word, sizeof(word));
		buf[sizeof(struct acpi_hest) + 2] = (u8)type;
		buf[sizeof(struct acpi_hest) + 3] = 0;
		(void)parse();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_firmware_first, fresh),
		cmocka_unit_test_setup(test_others, fresh),
		cmocka_unit_test_setup(test_deferred, fresh),
		cmocka_unit_test_setup(test_later_types, fresh),
		cmocka_unit_test_setup(test_count, fresh),
		cmocka_unit_test_setup(test_unknown, fresh),
		cmocka_unit_test_setup(test_hostile, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
