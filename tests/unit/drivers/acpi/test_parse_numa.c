/* SOURCES: drivers/acpi/parse.c drivers/acpi/parse_mcfg.c drivers/acpi/parse_numa.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SRAT and SLIT of machines with two to eight nodes, with memory that has no
 * cores (CXL), cores that have no memory, long APIC ids in no order; and tables
 * that no machine may have.
 */
#include "drivers/acpi/parse.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

static u8 buf[KIB(64)];
static u32 used;
static struct acpi_facts facts;

static int fresh(void **state)
{
	memset(buf, 0, sizeof(buf));
	memset(&facts, 0, sizeof(facts));
	fake_log_reset();
	buf[offsetof(struct acpi_header, revision)] = 3;
	used = sizeof(struct acpi_srat);
	return 0;
}

static void add(const void *entry, u32 bytes)
{
	assert_true(used + bytes <= sizeof(buf));
	memcpy(buf + used, entry, bytes);
	used += bytes;
}

/* Parsed from a block of its exact size, so that ASan sees what is read */
static void parse(void (*parser)(struct acpi_facts *,
				 const struct acpi_header *))
{
	struct acpi_header *t = malloc(used);

	memcpy(t, buf, used);
	t->length = used;
	parser(&facts, t);
	free(t);
}

static void lapic(u8 id, u32 domain, u32 flags)
{
	const struct srat_lapic e = {
		.entry = { SRAT_LAPIC, sizeof(e) },
		.domain_low = (u8)domain,
		.apic_id = id,
		.flags = flags,
		.domain_high = { (u8)(domain >> 8), (u8)(domain >> 16),
				 (u8)(domain >> 24) },
	};

	add(&e, sizeof(e));
}

static void x2apic(u32 id, u32 domain)
{
	const struct srat_x2apic e = { .entry = { SRAT_X2APIC, sizeof(e) },
				       .domain = domain,
				       .apic_id = id,
				       .flags = SRAT_ENABLED };

	add(&e, sizeof(e));
}

static void memory(u64 base, u64 size, u32 domain, u32 flags)
{
	const struct srat_memory e = { .entry = { SRAT_MEMORY, sizeof(e) },
				       .domain = domain,
				       .base = base,
				       .size = size,
				       .flags = flags };

	add(&e, sizeof(e));
}

static u32 domain_of(u32 apic_id)
{
	for (u32 i = 0; i < facts.numa.cpu_count; i++)
		if (facts.numa.cpus[i].apic_id == apic_id)
			return facts.numa.cpus[i].domain;
	return ~0u;
}

/* A server of two sockets, as most are: node 0 has the hole below 4 GiB, and
 * the sockets' cores come by turns */
static void test_two_sockets(void **state)
{
	for (u32 i = 0; i < 64; i++)
		lapic((u8)(i % 2 * 128 + i / 2), i % 2, SRAT_ENABLED);
	lapic(0xff, 1, 0);
	memory(0, GIB(2), 0, SRAT_ENABLED);
	memory(GIB(4), GIB(190), 0, SRAT_ENABLED);
	memory(GIB(194), GIB(192), 1, SRAT_ENABLED);
	memory(0, 0, 1, SRAT_ENABLED);
	memory(GIB(386), GIB(64), 5, 0); /* an empty socket's */
	parse(acpi_parse_srat);
	assert_int_equal(facts.numa.node_count, 2);
	assert_int_equal(facts.numa.cpu_count, 64);
	assert_int_equal(facts.numa.range_count, 3);
	assert_int_equal(domain_of(5), 0);
	assert_int_equal(domain_of(128 + 5), 1);
	assert_int_equal(fake_log_lines, 0);
}

/* Eight nodes of 128 cores, named from the last, and by large numbers; behind
 * them CXL memory without cores, and one node has no memory */
static void test_eight_nodes(void **state)
{
	for (u32 i = 1024; i--;)
		x2apic(i / 128 * 256 + i % 128, 1000 + i / 128);
	for (u32 i = 7; i--;)
		memory(GIB(1024) * i + GIB(4), GIB(256), 1000 + i,
		       SRAT_ENABLED);
	memory(GIB(8192), GIB(512), 2000, SRAT_ENABLED | BIT(1) | BIT(2));
	parse(acpi_parse_srat);
	assert_int_equal(facts.numa.node_count, 9);
	assert_int_equal(facts.numa.cpu_count, ACPI_MAX_CPUS);
	assert_int_equal(domain_of(7 * 256 + 127), 1007);
	assert_int_equal(facts.numa.range_count, 8);
	for (u32 i = 0; i < 8; i++) {
		assert_int_equal(facts.numa.domains[i], 1000 + i);
		assert_true(i == 0 || facts.numa.ranges[i].base >
					      facts.numa.ranges[i - 1].base);
	}
	assert_int_equal(facts.numa.domains[8], 2000);
	assert_int_equal(facts.numa.ranges[7].flags,
			 SRAT_ENABLED | BIT(1) | BIT(2));
	assert_int_equal(fake_log_lines, 0);
}

/* Domains of one byte in the first revision: what is behind is anything */
static void test_first_revision(void **state)
{
	buf[offsetof(struct acpi_header, revision)] = 1;
	lapic(3, 0xabcdef01, SRAT_ENABLED);
	memory(0, GIB(1), 0x55aa5501, SRAT_ENABLED);
	parse(acpi_parse_srat);
	assert_int_equal(facts.numa.node_count, 1);
	assert_int_equal(facts.numa.domains[0], 1);
}

static void test_initiators(void **state)
{
	struct srat_initiator e = { .entry = { SRAT_INITIATOR, sizeof(e) },
				    .handle_type = 1,
				    .domain = 4,
				    .handle = { 0, 0, 0x42 },
				    .flags = SRAT_ENABLED };

	x2apic(0, 0);
	add(&e, sizeof(e));
	e.flags = 0;
	add(&e, sizeof(e));
	parse(acpi_parse_srat);
	assert_int_equal(facts.numa.initiator_count, 1);
	assert_int_equal(facts.numa.initiators[0].handle[2], 0x42);
	assert_int_equal(facts.numa.node_count, 2);
}

/* The same memory in two nodes, or a table that ends within an entry: Linux
 * takes none of it, and neither do we */
static void test_refused(void **state)
{
	for (u32 i = 0; i < 4; i++) {
		fresh(state);
		x2apic(0, 0);
		memory(0, GIB(4), 0, SRAT_ENABLED);
		memory(GIB(3), GIB(4), i ? 0 : 1, SRAT_ENABLED);
		if (i == 1)
			buf[used - sizeof(struct srat_memory) + 1] = 200;
		if (i == 2)
			buf[used - sizeof(struct srat_memory) + 1] = 1;
		parse(acpi_parse_srat);
		assert_int_equal(facts.numa.node_count, i == 3);
		assert_int_equal(fake_log_warnings, i != 3);
		assert_true(i == 3 || strstr(fake_log_last, "one NUMA node"));
	}
}

/* What wraps, or is too short for its type, is passed over */
static void test_passed_over(void **state)
{
	struct srat_memory e = { .entry = { SRAT_MEMORY, 20 },
				 .flags = SRAT_ENABLED };

	add(&e, 20);
	memory(~0ull - GIB(1), GIB(2), 0, SRAT_ENABLED);
	memory(GIB(1), ~0ull, 0, SRAT_ENABLED);
	add((const u8[]){ 0xee, 4, 0, 0 }, 4);
	x2apic(7, 2);
	x2apic(7, 3);
	parse(acpi_parse_srat);
	assert_int_equal(facts.numa.range_count, 0);
	assert_int_equal(facts.numa.cpu_count, 1);
	assert_int_equal(domain_of(7), 2);
}

static void test_full(void **state)
{
	for (u32 i = 0; i < ACPI_MAX_NODES + 5; i++)
		x2apic(i, i);
	parse(acpi_parse_srat);
	assert_int_equal(facts.numa.node_count, ACPI_MAX_NODES);
	assert_int_equal(facts.numa.cpu_count, ACPI_MAX_NODES);
	assert_int_equal(fake_log_warnings, 1);
	fresh(state);
	for (u64 i = 0; i < ACPI_MAX_RANGES + 5; i++)
		memory(i << 20, MIB(1), 0, SRAT_ENABLED);
	parse(acpi_parse_srat);
	assert_int_equal(facts.numa.range_count, ACPI_MAX_RANGES);
	assert_int_equal(fake_log_warnings, 1);
}

/* @count nodes, @bytes of distances */
static bool distances(u64 count, const char *bytes, u32 length)
{
	facts.numa.has_distances = false;
	used = sizeof(struct acpi_slit);
	memcpy(buf + offsetof(struct acpi_slit, count), &count, sizeof(count));
	add(bytes, length);
	parse(acpi_parse_slit);
	return facts.numa.has_distances;
}

static void test_slit(void **state)
{
	assert_true(distances(2, "\x0a\x15\x15\x0a", 4));
	assert_true(distances(2, "\x0a\xff\x15\x0a\0\0", 6));
	assert_false(distances(2, "\x0a\x15\x15\x0b", 4));
	assert_false(distances(2, "\x0a\x0a\x15\x0a", 4));
	assert_false(distances(2, "\x0a\x15\x15\x0a", 3));
	assert_false(distances(0, "", 0));
	assert_false(distances(1ull << 32, "\x0a", 1));
	assert_false(distances(~0ull, "\x0a", 1));
}

#define T(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_two_sockets),    T(test_eight_nodes),
		T(test_first_revision), T(test_initiators),
		T(test_refused),        T(test_passed_over),
		T(test_full),           T(test_slit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
