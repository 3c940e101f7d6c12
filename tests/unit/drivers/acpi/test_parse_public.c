/* SOURCES: drivers/acpi/parse.c drivers/acpi/parse_mcfg.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MADTs as large servers have them, built again from what their Linux said in
 * public (linux-kernel mailing list). Where a log says how long the table is,
 * so is this one. Which of its places have cores is ours: as the processors of
 * that kind number them.
 */
#include "drivers/acpi/parse.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define MOST_IOAPICS 9

struct server {
	const char *name;
	u32 places; /* entries for cores: an xAPIC's and an x2APIC's each */
	u32 cores;  /* that are there */
	u32 bytes;  /* of the table; 0: not known */
	bool nmi_each;
	u32 ioapics;
	struct {
		u8 id;
		u32 base, gsi_base;
	} ioapic[MOST_IOAPICS];
	u16 irq9_flags;
};

static const struct server servers[] = {
	{ "PowerEdge R7625, two EPYC 9754: 512 threads, IOAPICs in no order",
	  .places = 1024, .cores = 512, .bytes = 0x60be, .ioapics = 9,
	  .ioapic = { { 240, 0xfec00000, 0 },
		      { 241, 0xea180000, 120 },
		      { 242, 0xdd180000, 88 },
		      { 243, 0xfd180000, 24 },
		      { 244, 0xd0180000, 56 },
		      { 245, 0xc3180000, 248 },
		      { 246, 0xb6180000, 216 },
		      { 247, 0xa9280000, 152 },
		      { 248, 0x9c180000, 184 } },
	  .irq9_flags = 0xf },
	{ "AMD, 128 threads on eight nodes", .places = 128, .cores = 128,
	  .ioapics = 9,
	  .ioapic = { { 128, 0xfec00000, 0 },
		      { 129, 0xefff0000, 24 },
		      { 130, 0xeb8f0000, 56 },
		      { 131, 0xe94f0000, 88 },
		      { 132, 0xe70f0000, 120 },
		      { 133, 0xe4cf0000, 152 },
		      { 134, 0xe28f0000, 184 },
		      { 135, 0xe01f0000, 216 },
		      { 136, 0xdddf0000, 248 } },
	  .irq9_flags = 0xf },
	{ "Intel, 288 threads, an NMI entry for each", .places = 288,
	  .cores = 288, .nmi_each = true, .ioapics = 9,
	  .ioapic = { { 0, 0xfec00000, 0 },
		      { 1, 0xfec01000, 24 },
		      { 2, 0xfec08000, 48 },
		      { 3, 0xfec10000, 72 },
		      { 4, 0xfec18000, 96 },
		      { 5, 0xfec20000, 120 },
		      { 6, 0xfec28000, 144 },
		      { 7, 0xfec30000, 168 },
		      { 8, 0xfec38000, 192 } },
	  .irq9_flags = 0xd },
	{ "Intel, 40 threads, with a gap in the GSIs", .places = 224,
	  .cores = 40, .ioapics = 9,
	  .ioapic = { { 8, 0xfec00000, 0 },
		      { 9, 0xfec01000, 24 },
		      { 10, 0xfec08000, 32 },
		      { 11, 0xfec10000, 40 },
		      { 12, 0xfec18000, 48 },
		      { 15, 0xfec20000, 72 },
		      { 16, 0xfec28000, 80 },
		      { 17, 0xfec30000, 88 },
		      { 18, 0xfec38000, 96 } },
	  .irq9_flags = 0xd },
};

static u8 table[KIB(64)];
static u32 used;
static struct acpi_facts facts;

static void add(const void *entry, u32 bytes)
{
	assert_true(used + bytes <= sizeof(table));
	memcpy(table + used, entry, bytes);
	used += bytes;
}
#define ADD(...)                                                               \
	do {                                                                   \
		const __VA_ARGS__;                                             \
                                                                               \
		add(&e, sizeof(e));                                            \
	} while (0)

/* An id that a byte holds has its core in the first sort of entry, any other in
 * the second; the place in the other sort has none */
static void add_cores(const struct server *s)
{
	for (u32 n = 0; n < s->places; n++)
		ADD(struct madt_lapic e = {
			    { MADT_LAPIC, sizeof(e) },
			    .uid = (u8)n,
			    .apic_id = n < 255 ? (u8)n : 0xff,
			    .flags = n < 255 && n < s->cores ? MADT_CPU_ENABLED
							     : 0,
		    });
	for (u32 n = 0; n < s->places; n++)
		ADD(struct madt_x2apic e = {
			    { MADT_X2APIC, sizeof(e) },
			    .apic_id = n,
			    .flags = n >= 255 && n < s->cores ? MADT_CPU_ENABLED
							      : 0,
			    .uid = n,
		    });
}

static void add_nmis(const struct server *s)
{
	for (u32 n = 0; s->nmi_each && n < s->places; n++)
		ADD(struct madt_x2apic_nmi e = {
			    { MADT_X2APIC_NMI, sizeof(e) },
			    .flags = 5,
			    .uid = n,
			    .lint = 1,
		    });
	if (!s->nmi_each)
		ADD(struct madt_x2apic_nmi e = {
			    { MADT_X2APIC_NMI, sizeof(e) },
			    .flags = 5,
			    .uid = MADT_ALL_X2APICS,
			    .lint = 1,
		    });
	ADD(struct madt_lapic_nmi e = {
		    { MADT_LAPIC_NMI, sizeof(e) },
		    .uid = MADT_ALL_CPUS,
		    .flags = 5,
		    .lint = 1,
	    });
}

static void build(const struct server *s)
{
	memset(table, 0, sizeof(table));
	memset(&facts, 0, sizeof(facts));
	fake_log_reset();
	used = sizeof(struct acpi_madt);
	add_cores(s);
	add_nmis(s);
	for (u32 i = 0; i < s->ioapics; i++)
		ADD(struct madt_ioapic e = {
			    { MADT_IOAPIC, sizeof(e) },
			    .id = s->ioapic[i].id,
			    .base = s->ioapic[i].base,
			    .gsi_base = s->ioapic[i].gsi_base,
		    });
	ADD(struct madt_override e = {
		    { MADT_OVERRIDE, sizeof(e) },
		    .irq = 0,
		    .gsi = 2,
	    });
	ADD(struct madt_override e = {
		    { MADT_OVERRIDE, sizeof(e) },
		    .irq = 9,
		    .gsi = 9,
		    .flags = s->irq9_flags,
	    });
	((struct acpi_header *)table)->length = used;
}

static void check_ioapics(const struct server *s)
{
	assert_int_equal(facts.ioapic_count, s->ioapics);
	for (u32 i = 0; i < s->ioapics; i++) {
		assert_int_equal(facts.ioapics[i].base, s->ioapic[i].base);
		assert_int_equal(facts.ioapics[i].gsi_base,
				 s->ioapic[i].gsi_base);
	}
}

static void check_server(const struct server *s)
{
	struct acpi_header *exact;

	build(s);
	if (s->bytes)
		assert_int_equal(used, s->bytes);
	/* Of its exact size, so that ASan sees what is read */
	exact = malloc(used);
	memcpy(exact, table, used);
	acpi_parse_madt(&facts, exact);
	free(exact);
	assert_int_equal(fake_log_warnings, 0);
	assert_int_equal(facts.cpu_count, s->cores);
	for (u32 n = 0; n < s->cores; n++)
		assert_int_equal(facts.cpu_apic_ids[n], n);
	check_ioapics(s);
	assert_int_equal(facts.override_count, 2);
	assert_int_equal(facts.overrides[0].gsi, 2);
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
