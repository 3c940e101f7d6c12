/* SOURCES: drivers/acpi/parse.c drivers/acpi/parse_mcfg.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MCFGs as machines with several segments have them, built again from what
 * their Linux said in public. Segments are above all RAM, and in no order of
 * address; or they share a base, and lie behind each other by their buses.
 */
#include "drivers/acpi/parse.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define MOST_SEGMENTS 8

struct server {
	const char *name;
	u32 segments;
	struct {
		u64 base;
		u8 first, last;
	} segment[MOST_SEGMENTS];
};

static const struct server servers[] = {
	{ "Superdome Flex, 8 sockets (linux-kernel, November 2020)",
	  .segments = 8,
	  .segment = { { 0x80000000, 0, 0xfe },
		       { 0xfff00000000, 0, 0xfe },
		       { 0xfff30000000, 0, 0xfe },
		       { 0xfff20000000, 0, 0xfe },
		       { 0xfff50000000, 0, 0xfe },
		       { 0xfff40000000, 0, 0xfe },
		       { 0xfff70000000, 0, 0xfe },
		       { 0xfff60000000, 0, 0xfe } } },
	{ "another of HPE, without a hub: a segment a chassis", .segments = 2,
	  .segment = { { 0x80000000, 0, 0xff }, { 0x90000000, 0, 0xff } } },
	{ "HP xw9400, two Opterons: one base, two segments", .segments = 2,
	  .segment = { { 0xf0000000, 0, 0x3f }, { 0xf0000000, 0x40, 0x7f } } },
};

static struct acpi_facts facts;

/* Of its exact size, so that ASan sees what is read */
static void parse(const struct server *s)
{
	u32 bytes = MCFG_ENTRIES_OFFSET +
		    s->segments * (u32)sizeof(struct mcfg_entry);
	struct acpi_header *t = calloc(1, bytes);
	struct mcfg_entry *e = (void *)((u8 *)t + MCFG_ENTRIES_OFFSET);

	t->length = bytes;
	for (u32 i = 0; i < s->segments; i++)
		e[i] = (struct mcfg_entry){
			.base = s->segment[i].base,
			.segment = (u16)i,
			.bus_first = s->segment[i].first,
			.bus_last = s->segment[i].last,
		};
	memset(&facts, 0, sizeof(facts));
	fake_log_reset();
	acpi_parse_mcfg(&facts, t);
	free(t);
}

static void check_server(const struct server *s)
{
	parse(s);
	assert_int_equal(fake_log_warnings, 0);
	assert_int_equal(facts.ecam_count, s->segments);
	for (u32 i = 0; i < s->segments; i++) {
		const struct acpi_ecam *e = &facts.ecam[i];

		assert_false(e->unused);
		assert_int_equal(e->segment, i);
		assert_int_equal(e->base, s->segment[i].base);
		assert_int_equal(e->bus_first, s->segment[i].first);
		assert_int_equal(e->bus_last, s->segment[i].last);
	}
}

static void test_servers(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(servers); i++)
		check_server(&servers[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_servers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
