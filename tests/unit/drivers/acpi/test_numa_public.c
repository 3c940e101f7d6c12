/* SOURCES: drivers/acpi/parse.c drivers/acpi/parse_mcfg.c drivers/acpi/parse_numa.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SRAT of a large server, built again from what its Linux said in public: a
 * PowerEdge R7625 whose last-level caches are nodes (linux-kernel mailing list,
 * October 2024). 32 domains, whose numbers follow neither the addresses nor the
 * entries; the table is as long as the log says. Which of the 512 threads are
 * in which domain is ours.
 */
#include "drivers/acpi/parse.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define SRAT_BYTES 0x3580
#define DOMAINS    32
#define THREADS    512

static const struct {
	u64 base, last;
	u32 domain;
} ranges[] = {
	{ 0x0, 0x9ffff, 0 },
	{ 0xc0000, 0x7fffffff, 0 },
	{ 0x100000000, 0x67fffffff, 0 },
	{ 0x680000000, 0xc7fffffff, 1 },
	{ 0xc80000000, 0x127fffffff, 8 },
	{ 0x1880000000, 0x1e7fffffff, 4 },
	{ 0x1280000000, 0x187fffffff, 9 },
	{ 0x1e80000000, 0x247fffffff, 5 },
	{ 0x2480000000, 0x2a7fffffff, 12 },
	{ 0x3080000000, 0x367fffffff, 6 },
	{ 0x2a80000000, 0x307fffffff, 13 },
	{ 0x3680000000, 0x3c7fffffff, 7 },
	{ 0x3c80000000, 0x427fffffff, 14 },
	{ 0x4880000000, 0x4e7fffffff, 2 },
	{ 0x4280000000, 0x487fffffff, 15 },
	{ 0x4e80000000, 0x547fffffff, 3 },
	{ 0x5480000000, 0x5a7fffffff, 10 },
	{ 0x5a80000000, 0x607fffffff, 11 },
	{ 0x6080000000, 0x667fffffff, 16 },
	{ 0x6680000000, 0x6c7fffffff, 17 },
	{ 0x6c80000000, 0x727fffffff, 24 },
	{ 0x7880000000, 0x7e7fffffff, 20 },
	{ 0x7280000000, 0x787fffffff, 25 },
	{ 0x7e80000000, 0x847fffffff, 21 },
	{ 0x8480000000, 0x8a7fffffff, 28 },
	{ 0x9080000000, 0x967fffffff, 22 },
	{ 0x8a80000000, 0x907fffffff, 29 },
	{ 0x9680000000, 0x9c7fffffff, 23 },
	{ 0x9c80000000, 0xa27fffffff, 30 },
	{ 0xa880000000, 0xae7fffffff, 18 },
	{ 0xa280000000, 0xa87fffffff, 31 },
	{ 0xae80000000, 0xb47fffffff, 19 },
	{ 0xb480000000, 0xba7fffffff, 26 },
	{ 0xba80000000, 0xc07fffffff, 27 },
};

static u8 table[SRAT_BYTES];
static struct acpi_facts facts;

static void build(void)
{
	u8 *p = table + sizeof(struct acpi_srat);

	table[offsetof(struct acpi_header, revision)] = 3;
	for (u32 n = 0; n < THREADS; n++) {
		const struct srat_x2apic e = {
			.entry = { SRAT_X2APIC, sizeof(e) },
			.domain = n / (THREADS / DOMAINS),
			.apic_id = n,
			.flags = SRAT_ENABLED,
		};

		memcpy(p, &e, sizeof(e));
		p += sizeof(e);
	}
	for (u32 i = 0; i < ARRAY_SIZE(ranges); i++) {
		const struct srat_memory e = {
			.entry = { SRAT_MEMORY, sizeof(e) },
			.domain = ranges[i].domain,
			.base = ranges[i].base,
			.size = ranges[i].last + 1 - ranges[i].base,
			.flags = SRAT_ENABLED,
		};

		memcpy(p, &e, sizeof(e));
		p += sizeof(e);
	}
	assert_int_equal(p - table, SRAT_BYTES);
	((struct acpi_header *)table)->length = SRAT_BYTES;
}

static u32 domain_of(u64 address)
{
	const struct acpi_numa *n = &facts.numa;

	for (u32 i = 0; i < n->range_count; i++)
		if (address - n->ranges[i].base < n->ranges[i].size)
			return n->ranges[i].domain;
	return ~0u;
}

static void test_server(void **state)
{
	const struct acpi_numa *n = &facts.numa;

	build();
	acpi_parse_srat(&facts, (const struct acpi_header *)table);
	assert_int_equal(fake_log_warnings, 0);
	assert_int_equal(n->node_count, DOMAINS);
	for (u32 i = 0; i < DOMAINS; i++)
		assert_int_equal(n->domains[i], i);
	assert_int_equal(n->cpu_count, THREADS);
	assert_int_equal(n->range_count, ARRAY_SIZE(ranges));
	for (u32 i = 1; i < n->range_count; i++)
		assert_true(n->ranges[i - 1].base + n->ranges[i - 1].size <=
			    n->ranges[i].base);
	for (u32 i = 0; i < ARRAY_SIZE(ranges); i++) {
		assert_int_equal(domain_of(ranges[i].base), ranges[i].domain);
		assert_int_equal(domain_of(ranges[i].last), ranges[i].domain);
	}
	assert_int_equal(domain_of(0xb8000), ~0u);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_server) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
