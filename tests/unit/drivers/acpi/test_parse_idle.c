/* SOURCES: drivers/acpi/parse_idle.c drivers/acpi/parse.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of sleep states in AML as compilers write it, and in AML that is cut or
 * damaged: nothing outside of the table is read */
#include <unistd.h>

#include "drivers/acpi/parse.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

static struct acpi_facts facts;

#define IO_REGISTER(port)                                                      \
	0x11, 0x14, 0x0a, 0x11, 0x82, 0x0c, 0x00, 0x01, 0x08, 0x00, 0x01,      \
		(port)&0xff, (port) >> 8, 0, 0, 0, 0, 0, 0, 0x79, 0x00
#define FFH_REGISTER                                                           \
	0x11, 0x14, 0x0a, 0x11, 0x82, 0x0c, 0x00, 0x7f, 0x01, 0x02, 0x00, 0,   \
		0, 0, 0, 0, 0, 0, 0, 0x79, 0x00
#define STATE(type) type, 0x0a, 0x64, 0x0a, 0x32

/* Name (_CST, Package () { 2, { FFH }, { SystemIO 814h } }), as of AMD's */
static const u8 name_cst[] = {
	0x08,
	'_',
	'C',
	'S',
	'T',
	0x12,
	0x40,
	0x04,
	0x03,
	0x0a,
	0x02,
	0x12,
	0x1b,
	0x04,
	FFH_REGISTER,
	STATE(0x01),
	0x12,
	0x1b,
	0x04,
	IO_REGISTER(0x814),
	STATE(0x0a),
	/* and behind it a register that is none of its */
	0x08,
	'_',
	'P',
	'C',
	'T',
	0x12,
	0x17,
	0x01,
	IO_REGISTER(0xb2),
};

/* Method (_CST) { Return (Package () { ... 1814h, 1815h }) } */
static const u8 method_cst[] = {
	0x14,
	0x47,
	0x04,
	'_',
	'C',
	'S',
	'T',
	0x00,
	0xa4,
	0x12,
	0x3c,
	0x03,
	0x0a,
	0x02,
	0x12,
	0x1b,
	0x04,
	IO_REGISTER(0x1814),
	STATE(0x02),
	0x12,
	0x1b,
	0x04,
	IO_REGISTER(0x1815),
	STATE(0x03),
	0x08,
	'_',
	'P',
	'T',
	'C',
	0x12,
	0x17,
	0x01,
	IO_REGISTER(0x1810),
};

/* Notify and such name it, and have no registers */
static const u8 mentioned[] = {
	0x5c, '_', 'C', 'S', 'T', IO_REGISTER(0x1814), IO_REGISTER(0x1815),
};

/* Processor (\_PR.CPU0, 1, 0x410, 6) {} and (CPU1, 2, 0, 0) */
static const u8 processors[] = {
	0x5b, 0x83, 0x11, 0x5c, 0x2e, '_',  'P',  'R',  '_',  'C',  'P',
	'U',  '0',  0x01, 0x10, 0x04, 0x00, 0x00, 0x06, 0x5b, 0x83, 0x0b,
	'C',  'P',  'U',  '1',  0x02, 0,    0,    0,    0,    0,    0x5b,
	0x83, 0x11, 0x5c, 0x2e, '_',  'P',  'R',  '_',  'C',  'P',  'U',
	'2',  0x03, 0x10, 0x04, 0x00, 0x00, 0x06,
};

/* In memory of exactly its length, so that ASan sees any other read */
static void parse(const u8 *aml, u32 bytes)
{
	struct acpi_header *t = malloc(sizeof(*t) + bytes);

	memset(t, 0, sizeof(*t));
	memcpy(t->signature, "SSDT", 4);
	t->length = (u32)sizeof(*t) + bytes;
	memcpy(t + 1, aml, bytes);
	memset(&facts, 0, sizeof(facts));
	acpi_parse_idle(&facts, t);
	free(t);
}

static void test_name(void **state)
{
	parse(name_cst, sizeof(name_cst));
	assert_int_equal(facts.idle_port_count, 1);
	assert_int_equal(facts.idle_ports[0], 0x814);
}

static void test_method(void **state)
{
	parse(method_cst, sizeof(method_cst));
	assert_int_equal(facts.idle_port_count, 2);
	assert_int_equal(facts.idle_ports[0], 0x1814);
	assert_int_equal(facts.idle_ports[1], 0x1815);
}

static void test_mentioned(void **state)
{
	parse(mentioned, sizeof(mentioned));
	assert_int_equal(facts.idle_port_count, 0);
}

static void test_processors(void **state)
{
	parse(processors, sizeof(processors));
	assert_int_equal(facts.pblk_count, 1);
	assert_int_equal(facts.pblks[0], 0x410);
}

/* In the midst of a buffer or a string the two bytes of the opcode are just
 * that: a Processor has a name, and a block of six bytes or none */
static void test_no_processors(void **state)
{
	static const u8 data[] = {
		0x5b, 0x83, 0x0b, 'c', 'P', 'U', '1', 1, 0x5e, 0, 0, 0, 6,
		0x5b, 0x83, 0x0b, 'C', 'P', 'U', 0,   1, 0x5e, 0, 0, 0, 6,
		0x5b, 0x83, 0x0b, '1', 'P', 'U', '1', 1, 0x5e, 0, 0, 0, 6,
		0x5b, 0x83, 0x0b, 'C', 'P', 'U', '1', 1, 0x5e, 0, 0, 0, 7,
	};

	parse(data, sizeof(data));
	assert_int_equal(facts.pblk_count, 0);
}

/* Cut anywhere, and with any one byte changed */
static void test_damage(void **state)
{
	static const struct {
		const u8 *aml;
		u32 bytes;
	} all[] = { { name_cst, sizeof(name_cst) },
		    { method_cst, sizeof(method_cst) },
		    { processors, sizeof(processors) } };
	u8 copy[256];

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		for (u32 n = 0; n <= all[i].bytes; n++)
			parse(all[i].aml, n);
		for (u32 at = 0; at < all[i].bytes; at++) {
			memcpy(copy, all[i].aml, all[i].bytes);
			for (u32 value = 0; value < 256; value++) {
				copy[at] = (u8)value;
				parse(copy, all[i].bytes);
			}
		}
	}
}

/* As many as there is room for; that some are lost is said once */
static void test_many(void **state)
{
	static u8 aml[9 + 64 * 21] = { 0x14, 0x88, 0x54, 0x00, '_',
				       'C',  'S',  'T',  0 };

	for (u32 i = 0; i < 64; i++) {
		const u8 reg[] = { IO_REGISTER(0x2000) };

		memcpy(aml + 9 + i * 21, reg, sizeof(reg));
		aml[9 + i * 21 + 11] = (u8)i;
	}
	fake_log_reset();
	parse(aml, sizeof(aml));
	assert_int_equal(facts.idle_port_count, ACPI_MAX_IDLE_PORTS);
	assert_int_equal(fake_log_warnings, 1);
}

/* Methods that all reach to the table's end, and one register there: each byte
 * is looked at once, or the boot would take hours */
static void test_methods_in_methods(void **state)
{
	static const u8 method[] = { 0x14, 0xcf, 0xff, 0xff, 0xff,
				     '_',  'C',  'S',  'T' };
	static const u8 reg[] = { IO_REGISTER(0x1814) };
	static u8 aml[MIB(4)];
	u32 at = 0;

	for (; at + sizeof(method) + sizeof(reg) <= sizeof(aml);
	     at += sizeof(method))
		memcpy(aml + at, method, sizeof(method));
	memcpy(aml + at, reg, sizeof(reg));
	alarm(30);
	parse(aml, sizeof(aml));
	alarm(0);
	assert_int_equal(facts.idle_port_count, 1);
	assert_int_equal(facts.idle_ports[0], 0x1814);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_method),
		cmocka_unit_test(test_mentioned),
		cmocka_unit_test(test_processors),
		cmocka_unit_test(test_no_processors),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_methods_in_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
