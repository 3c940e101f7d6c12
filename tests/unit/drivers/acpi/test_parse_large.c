/* SOURCES: drivers/acpi/parse.c drivers/acpi/parse_mcfg.c drivers/acpi/parse_numa.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MADT and MCFG as the largest machines have them, and as none may have them:
 * made here, entry by entry. What is told twice counts once, what does not fit
 * is told once, and what is used never overlaps.
 */
#include "drivers/acpi/parse.h"
#include "include/hw/pci.h"
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

static void x2apic(u32 id, u32 uid, u32 flags)
{
	const struct madt_x2apic e = { .entry = { MADT_X2APIC, sizeof(e) },
				       .apic_id = id,
				       .flags = flags,
				       .uid = uid };

	add(&e, sizeof(e));
}

static void ioapic(u8 id, u32 base, u32 gsi_base)
{
	const struct madt_ioapic e = { .entry = { MADT_IOAPIC, sizeof(e) },
				       .id = id,
				       .base = base,
				       .gsi_base = gsi_base };

	add(&e, sizeof(e));
}

static void override(u8 irq, u32 gsi)
{
	const struct madt_override e = { .entry = { MADT_OVERRIDE, sizeof(e) },
					 .irq = irq,
					 .gsi = gsi };

	add(&e, sizeof(e));
}

/* Sockets of 64 threads, 256 ids apart, the odd ones of each first */
static u32 sparse_id(u32 n)
{
	return n / 64 * 256 + (n % 64 * 2 + (n % 64 < 32 ? 1 : 0)) % 64;
}

static void test_1024_cores(void **state)
{
	used = sizeof(struct acpi_madt);
	for (u32 i = 0; i < 1024; i++) {
		x2apic(sparse_id(i), 5000 - i, MADT_CPU_ENABLED);
		x2apic(1u << 30 | i, i, 0); /* a place without a core */
	}
	parse(acpi_parse_madt);
	assert_int_equal(facts.cpu_count, 1024);
	assert_int_equal(fake_log_warnings, 0);
	for (u32 i = 0; i < 1024; i++) {
		assert_int_equal(facts.cpu_apic_ids[i], sparse_id(i));
		assert_int_equal(facts.cpu_acpi_uids[i], 5000 - i);
	}
	/* The boot CPU is in the middle */
	acpi_boot_cpu_first(&facts, sparse_id(700));
	assert_int_equal(facts.cpu_apic_ids[0], sparse_id(700));
	assert_int_equal(facts.cpu_acpi_uids[0], 4300);
	assert_int_equal(facts.cpu_apic_ids[1], sparse_id(0));
	assert_int_equal(facts.cpu_apic_ids[1023], sparse_id(1023));
}

/* One sentence for all that are too many, and none that is there twice */
static void test_too_many_cores(void **state)
{
	used = sizeof(struct acpi_madt);
	for (u32 i = 0; i < 2000; i++)
		x2apic(3 * i, i, MADT_CPU_ENABLED);
	for (u32 i = 0; i < 100; i++)
		x2apic(3 * i, i, MADT_CPU_ENABLED);
	x2apic(~0u, 0, MADT_CPU_ENABLED);
	parse(acpi_parse_madt);
	assert_int_equal(facts.cpu_count, ACPI_MAX_CPUS);
	assert_int_equal(facts.cpu_apic_ids[1023], 3 * 1023);
	assert_int_equal(fake_log_warnings, 1);
	assert_non_null(strstr(fake_log_alarm, "more than 1024 cores"));
}

/* 9 IOAPICs as on 8 sockets, then as many as there is room for; unsorted */
static void test_ioapics(void **state)
{
	for (u32 n = 9; n <= ACPI_MAX_IOAPICS + 3; n += 29) {
		fresh(state);
		used = sizeof(struct acpi_madt);
		for (u32 i = n; i-- > 0;) {
			ioapic((u8)i, 0xfec00000 + i * 0x1000, i * 16);
			ioapic((u8)i, 0xfec00000 + i * 0x1000, 7);
		}
		ioapic(1, 0, 0);
		parse(acpi_parse_madt);
		assert_int_equal(facts.ioapic_count,
				 MIN(n, (u32)ACPI_MAX_IOAPICS));
		assert_int_equal(facts.ioapics[0].gsi_base, (n - 1) * 16);
		assert_int_equal(facts.ioapics[8].base,
				 0xfec00000 + (n - 9) * 0x1000);
		assert_int_equal(fake_log_warnings, n > ACPI_MAX_IOAPICS);
	}
}

static void test_overrides(void **state)
{
	used = sizeof(struct acpi_madt);
	for (u32 i = 0; i < 40; i++) {
		override((u8)(i % 16), 1000 + i);
		override((u8)(i % 16), i);
	}
	parse(acpi_parse_madt);
	assert_int_equal(facts.override_count, 16);
	assert_int_equal(facts.overrides[3].gsi, 1003);
	assert_int_equal(fake_log_warnings, 0);
	override(16, 3);
	override(17, 3);
	parse(acpi_parse_madt);
	assert_int_equal(facts.override_count, 16);
	assert_int_equal(fake_log_warnings, 1);
}

static void ecam(u64 base, u16 segment, u8 first, u8 last)
{
	const struct mcfg_entry e = { .base = base,
				      .segment = segment,
				      .bus_first = first,
				      .bus_last = last };

	add(&e, sizeof(e));
}

static void check_ecam(u32 i, u64 base, u16 segment, u8 first, u8 last)
{
	const struct acpi_ecam *e = &facts.ecam[i];

	assert_false(e->unused);
	assert_int_equal(e->base, base);
	assert_int_equal(e->segment, segment);
	assert_int_equal(e->bus_first, first);
	assert_int_equal(e->bus_last, last);
}

/* Four segments; twice the same, halves, and halves that overlap */
static void test_segments(void **state)
{
	used = MCFG_ENTRIES_OFFSET;
	ecam(GIB(2), 0, 0, 255);
	ecam(GIB(3), 1, 0, 127);
	ecam(GIB(2), 0, 0, 255);
	ecam(GIB(64), 2, 0, 100);
	ecam(GIB(64), 2, 80, 255);
	ecam(GIB(65), 3, 128, 255);
	ecam(GIB(3), 1, 128, 255);
	ecam(GIB(65), 3, 0, 10);
	ecam(GIB(65), 3, 5, 200);
	parse(acpi_parse_mcfg);
	assert_int_equal(fake_log_warnings, 0);
	assert_int_equal(facts.ecam_count, 5);
	check_ecam(0, GIB(3), 1, 0, 127);
	check_ecam(1, GIB(2), 0, 0, 255);
	check_ecam(2, GIB(64), 2, 0, 255);
	check_ecam(3, GIB(3), 1, 128, 255);
	check_ecam(4, GIB(65), 3, 0, 255);
}

/* The first is used, the other kept, whatever of the two is right */
static void test_contradictions(void **state)
{
	used = MCFG_ENTRIES_OFFSET;
	ecam(GIB(2), 0, 0, 255);
	ecam(GIB(2), 1, 0, 255);           /* one address, two segments */
	ecam(GIB(3), 0, 64, 70);           /* one bus, two addresses */
	ecam(GIB(2) + MIB(16), 2, 0, 255); /* an overlap */
	ecam(GIB(4), 3, 0, 255);
	parse(acpi_parse_mcfg);
	assert_int_equal(facts.ecam_count, 5);
	check_ecam(0, GIB(2), 0, 0, 255);
	check_ecam(4, GIB(4), 3, 0, 255);
	for (u32 i = 1; i < 4; i++)
		assert_true(facts.ecam[i].unused);
	assert_int_equal(fake_log_warnings, 3);
}

static void test_nonsense(void **state)
{
	used = MCFG_ENTRIES_OFFSET;
	ecam(0, 0, 0, 255);
	ecam(GIB(2) + 4096, 0, 0, 255);
	ecam(GIB(2), 0, 9, 8);
	ecam(BIT(52), 0, 0, 0);
	ecam(BIT(52) - MIB(1), 0, 0, 255);
	ecam(~0ull << 20, 0, 0, 255);
	parse(acpi_parse_mcfg);
	assert_int_equal(facts.ecam_count, 0);
	assert_int_equal(fake_log_warnings, 1);
	fresh(state);
	used = MCFG_ENTRIES_OFFSET;
	for (u32 i = 0; i < 2 * ACPI_MAX_ECAM; i++)
		ecam(GIB(4) * (i + 1), (u16)i, 0, 255);
	parse(acpi_parse_mcfg);
	assert_int_equal(facts.ecam_count, ACPI_MAX_ECAM);
	assert_int_equal(fake_log_warnings, 1);
	used = MCFG_ENTRIES_OFFSET - 8; /* shorter than its header */
	parse(acpi_parse_mcfg);
}

static u64 first_byte(const struct acpi_ecam *e)
{
	return e->base + e->bus_first * PCI_ECAM_BUS_BYTES;
}

static u64 end_byte(const struct acpi_ecam *e)
{
	return e->base + (e->bus_last + 1u) * PCI_ECAM_BUS_BYTES;
}

static void check_disjoint(const struct acpi_ecam *a, const struct acpi_ecam *b)
{
	assert_true(end_byte(a) <= first_byte(b) ||
		    end_byte(b) <= first_byte(a));
	assert_true(a->segment != b->segment || a->bus_last < b->bus_first ||
		    b->bus_last < a->bus_first);
}

/* What is used is disjoint, and whatever was told is used or kept */
static void test_random_ranges(void **state)
{
	srand(7);
	for (u32 n = 0; n < 300; n++) {
		u32 count = (u32)rand() % 60;

		fresh(state);
		used = MCFG_ENTRIES_OFFSET;
		for (u32 i = 0; i < count; i++)
			ecam(GIB(1) + (u64)(rand() % 4) * MIB(128),
			     (u16)(rand() % 4), (u8)rand(), (u8)rand());
		parse(acpi_parse_mcfg);
		assert_true(facts.ecam_count <= count);
		for (u32 i = 0; i < facts.ecam_count; i++)
			for (u32 j = 0; j < i; j++)
				if (!facts.ecam[i].unused &&
				    !facts.ecam[j].unused)
					check_disjoint(&facts.ecam[i],
						       &facts.ecam[j]);
	}
}

/* Random bytes with right lengths, and with wrong ones */
static void test_damage(void **state)
{
	srand(9);
	for (u32 n = 0; n < 400; n++) {
		fresh(state);
		used = sizeof(struct acpi_madt);
		for (u32 i = 0; i < 300; i++) {
			x2apic((u32)rand(), (u32)rand(), (u32)rand());
			ioapic((u8)rand(), (u32)rand(), (u32)rand());
			override((u8)rand(), (u32)rand());
		}
		for (u32 i = 0; n % 2 && i < 20; i++)
			buf[sizeof(struct acpi_madt) +
			    (u32)rand() % (used - sizeof(struct acpi_madt))] =
				(u8)rand();
		parse(acpi_parse_madt);
		assert_true(facts.cpu_count <= ACPI_MAX_CPUS);
		assert_true(facts.ioapic_count <= ACPI_MAX_IOAPICS);
		assert_true(facts.override_count <= ACPI_MAX_OVERRIDES);
		assert_true(fake_log_warnings <= 5);
	}
}

#define T(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_1024_cores), T(test_too_many_cores),
		T(test_ioapics),    T(test_overrides),
		T(test_segments),   T(test_contradictions),
		T(test_nonsense),   T(test_random_ranges),
		T(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
