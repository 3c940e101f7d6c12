/* SOURCES: drivers/acpi/acpi.c drivers/acpi/parse.c drivers/acpi/parse_hest.c drivers/acpi/parse_idle.c drivers/acpi/parse_mcfg.c drivers/acpi/parse_numa.c drivers/acpi/parse_iommu.c drivers/acpi/parse_serial.c check/hest.c check/iommu.c check/rsdp.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables made by hand in a small physical memory, whole and broken; and a
 * run of random damage, which must never read outside a table. Over 400 lines:
 * the tables made by hand serve every case.
 */
#include "drivers/acpi/parse.h"
#include "lib/log.h"
#include "mm/hostmap.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define MEM_BYTES KIB(64)
#define MEM_HPA   MIB(1)

#define AT_RSDP MEM_HPA
#define AT_RSDT (MEM_HPA + 0x100)
#define AT_XSDT (MEM_HPA + 0x200)
#define AT_MADT (MEM_HPA + 0x1000)
#define AT_FADT (MEM_HPA + 0x2000)
#define AT_MCFG (MEM_HPA + 0x3000)
#define AT_HPET (MEM_HPA + 0x4000)
#define AT_DSDT (MEM_HPA + 0x5000)
#define AT_FACS (MEM_HPA + 0x6000)

static u8 mem[MEM_BYTES];
static u32 views; /* early_map() without its early_unmap() */
static struct boot_info bi;

/* A copy of exactly the bytes asked for, so that ASan sees any other read */
void *early_map(hpa_t hpa, u64 size)
{
	u8 *copy;

	if (hpa.v < MEM_HPA || hpa.v - MEM_HPA >= MEM_BYTES ||
	    size > MEM_BYTES - (hpa.v - MEM_HPA))
		return NULL;
	copy = malloc(size);
	memcpy(copy, mem + (hpa.v - MEM_HPA), size);
	views++;
	return copy;
}

void early_unmap(void *va, u64 size)
{
	free(va);
	views--;
}

static void *at(u64 hpa)
{
	return mem + (hpa - MEM_HPA);
}

static void seal(u64 hpa)
{
	struct acpi_header *h = at(hpa);
	u8 sum = 0;

	h->checksum = 0;
	for (u32 i = 0; i < h->length; i++)
		sum = (u8)(sum + ((u8 *)at(hpa))[i]);
	h->checksum = (u8)-sum;
}

static void table(u64 hpa, const char *signature, const void *body, u32 bytes)
{
	struct acpi_header *h = at(hpa);

	memcpy(h->signature, signature, 4);
	h->length = (u32)sizeof(*h) + bytes;
	memcpy(h + 1, body, bytes);
	seal(hpa);
}

static void seal_rsdp(void)
{
	struct acpi_rsdp *r = at(AT_RSDP);
	u8 sum = 0;

	r->checksum = 0;
	r->extended_checksum = 0;
	for (u32 i = 0; i < 20; i++)
		sum = (u8)(sum + ((u8 *)r)[i]);
	r->checksum = (u8)-sum;
	sum = 0;
	for (u32 i = 0; i < 36; i++)
		sum = (u8)(sum + ((u8 *)r)[i]);
	r->extended_checksum = (u8)-sum;
}

/* clang-format off */
static const u8 madt_body[] = {
	0x00, 0x00, 0xe0, 0xfe, 1, 0, 0, 0, /* LAPIC base, flags */
	0, 8, 10, 4, 1, 0, 0, 0, /* core, id 4, uid 10 */
	0, 8, 11, 0, 1, 0, 0, 0, /* id 0 */
	0, 8, 12, 9, 0, 0, 0, 0, /* disabled */
	0, 8, 13, 0xff, 1, 0, 0, 0, /* broadcast */
	9, 16, 0, 0, 0x00, 0x01, 0, 0, 1, 0, 0, 0, 14, 0, 0, 0, /* id 256 */
	9, 16, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 10, 0, 0, 0, /* id 4 again */
	1, 12, 2, 0, 0x00, 0x00, 0xc0, 0xfe, 0, 0, 0, 0, /* IOAPIC */
	1, 12, 3, 0, 0x00, 0x10, 0xc0, 0xfe, 24, 0, 0, 0,
	2, 10, 0, 0, 2, 0, 0, 0, 0, 0, /* IRQ 0 is GSI 2 */
	2, 10, 0, 9, 9, 0, 0, 0, 0xd, 0,
	0x80, 4, 0, 0, /* unknown type */
	5, 12, 0, 0, 0x00, 0x00, 0xe1, 0xfe, 0, 0, 0, 0, /* LAPIC address */
};
/* clang-format on */

static const u8 s5_body[] = {
	0x10, 0x05, '_', 'S',  'B', '_', /* a scope, then the name in use */
	0xa4, '_',  'S', '5',  '_', 0x08, '_', 'S', '5', '_',
	0x12, 0x06, 4,   0x0a, 5,   0x0a, 7,   0,   0,
};

static void make_fadt(void)
{
	struct acpi_fadt f;

	memset(&f, 0, sizeof(f));
	f.dsdt = 0xdead; /* X_DSDT wins */
	f.x_dsdt = AT_DSDT;
	f.facs = AT_FACS;
	f.sci_int = 9;
	f.smi_cmd = 0xb2;
	f.acpi_enable = 2;
	f.pm1a_evt_blk = 0x600;
	f.pm1a_cnt_blk = 0x604;
	f.x_pm1a_cnt = (struct acpi_gas_raw){ .space = 1, .address = 0x704 };
	f.x_pm1b_cnt = (struct acpi_gas_raw){ .space = 0, .address = 0xfed0 };
	f.pm_tmr_blk = 0x608;
	f.flags = FADT_TMR_VAL_EXT | FADT_RESET_REG_SUP;
	f.reset_reg = (struct acpi_gas_raw){ .space = 1,
					     .bits = 8,
					     .address = 0xcf9 };
	f.reset_value = 0xf;
	table(AT_FADT, "FACP", (u8 *)&f + sizeof(f.header),
	      sizeof(f) - sizeof(f.header));
}

static int fresh(void **state)
{
	static const u64 xsdt[] = { AT_MADT, AT_FADT, AT_MCFG, AT_HPET };
	static const u32 rsdt[] = { AT_MADT };
	struct acpi_rsdp rsdp = { .signature = "RSD PTR ",
				  .revision = 2,
				  .rsdt = (u32)AT_RSDT,
				  .length = 36,
				  .xsdt = AT_XSDT };
	struct mcfg_entry ecam = { .base = 0xb0000000, .bus_last = 255 };
	u8 mcfg[8 + sizeof(ecam)] = { 0 };
	struct acpi_hpet hpet = { .base = { .address = 0xfed00000 } };

	memset(mem, 0, sizeof(mem));
	memcpy(at(AT_RSDP), &rsdp, sizeof(rsdp));
	seal_rsdp();
	table(AT_RSDT, "RSDT", rsdt, sizeof(rsdt));
	table(AT_XSDT, "XSDT", xsdt, sizeof(xsdt));
	table(AT_MADT, "APIC", madt_body, sizeof(madt_body));
	make_fadt();
	memcpy(mcfg + 8, &ecam, sizeof(ecam));
	table(AT_MCFG, "MCFG", mcfg, sizeof(mcfg));
	table(AT_HPET, "HPET", (u8 *)&hpet + 36, sizeof(hpet) - 36);
	table(AT_DSDT, "DSDT", s5_body, sizeof(s5_body));
	memcpy(at(AT_FACS), "FACS\x40\0\0\0", 8);
	bi.rsdp = AT_RSDP;
	fake_log_reset();
	return 0;
}

static void test_whole(void **state)
{
	acpi_init(&bi);
	assert_string_equal(fake_log_alarm, "");
	assert_int_equal(views, 0);
	assert_true(acpi.present);
	assert_int_equal(acpi.table_count, 6);
	assert_int_equal(acpi.cpu_count, 3);
	assert_int_equal(acpi.ioapic_count, 2);
	assert_int_equal(acpi.ioapics[1].base, 0xfec01000);
	assert_int_equal(acpi.ioapics[1].gsi_base, 24);
	assert_int_equal(acpi.lapic_base, 0xfee10000);
	assert_int_equal(acpi_isa_gsi(0), 2);
	assert_int_equal(acpi.overrides[0].flags, 0);
	assert_int_equal(acpi_isa_gsi(9), 9);
	assert_int_equal(acpi.overrides[1].flags, 0xd);
	assert_int_equal(acpi_isa_gsi(4), 4);
	assert_int_equal(acpi.ecam_count, 1);
	assert_int_equal(acpi.ecam[0].bus_last, 255);
	assert_int_equal(acpi.pm1a_evt, 0x600);
	assert_int_equal(acpi.pm1a_cnt, 0x704);
	assert_int_equal(acpi.pm1b_cnt, 0);
	assert_int_equal(acpi.pm_timer, 0x608);
	assert_true(acpi.has_s5);
	assert_int_equal(acpi.s5_typ_a, 5);
	assert_int_equal(acpi.s5_typ_b, 7);
	assert_true(acpi.has_reset);
	assert_int_equal(acpi.reset.address, 0xcf9);
	assert_int_equal(acpi.reset_value, 0xf);
	assert_int_equal(acpi.smi_cmd, 0xb2);
	assert_int_equal(acpi.acpi_enable, 2);
	assert_int_equal(acpi.sci_gsi, 9);
	assert_int_equal(acpi.hpets[0], 0xfed00000);
}

static void test_boot_cpu_first(void **state)
{
	struct acpi_facts f = { .cpu_count = 3,
				.cpu_apic_ids = { 4, 0, 256 },
				.cpu_acpi_uids = { 10, 11, 14 } };

	acpi_boot_cpu_first(&f, 256);
	assert_int_equal(f.cpu_apic_ids[0], 256);
	assert_int_equal(f.cpu_apic_ids[1], 4);
	assert_int_equal(f.cpu_acpi_uids[0], 14);
	assert_int_equal(f.cpu_acpi_uids[2], 11);
	acpi_boot_cpu_first(&f, 77);
	assert_int_equal(f.cpu_apic_ids[0], 256);
}

static void test_no_tables(void **state)
{
	bi.rsdp = 0;
	acpi_init(&bi);
	assert_false(acpi.present);
	bi.rsdp = AT_RSDP;
	((struct acpi_rsdp *)at(AT_RSDP))->checksum++;
	acpi_init(&bi);
	assert_false(acpi.present);
	assert_non_null(strstr(fake_log_alarm, "RSDP"));
	bi.rsdp = GIB(4);
	acpi_init(&bi);
	assert_false(acpi.present);
}

/* A table whose sum is wrong is named and used */
static void test_bad_checksum(void **state)
{
	((struct acpi_header *)at(AT_MADT))->checksum++;
	acpi_init(&bi);
	assert_non_null(strstr(fake_log_alarm, "APIC"));
	assert_non_null(strstr(fake_log_alarm, "wrong checksum"));
	assert_int_equal(acpi.cpu_count, 3);
	assert_true(acpi.has_s5);
	assert_int_equal(views, 0);

	fresh(state);
	((struct acpi_header *)at(AT_DSDT))->checksum++;
	acpi_init(&bi);
	assert_non_null(strstr(fake_log_alarm, "DSDT"));
	assert_int_equal(fake_log_warnings, 1);
	assert_true(acpi.has_s5);
	assert_int_equal(acpi.table_count, 6);
	assert_int_equal(views, 0);
}

/* One that cannot be read is named, with what follows from it */
static void test_no_such_table(void **state)
{
	((struct acpi_header *)at(AT_MADT))->length = 3;
	acpi_init(&bi);
	assert_non_null(strstr(fake_log_alarm, "loader's list"));
	assert_int_equal(acpi.cpu_count, 0);
	assert_true(acpi.has_s5);
}

static void test_xsdt_falls_back(void **state)
{
	((struct acpi_header *)at(AT_XSDT))->checksum++;
	acpi_init(&bi);
	assert_true(acpi.present);
	assert_int_equal(acpi.cpu_count, 3);
	assert_int_equal(acpi.table_count, 1);

	/* Without an RSDT, it is better than none */
	fresh(state);
	((struct acpi_header *)at(AT_XSDT))->checksum++;
	((struct acpi_rsdp *)at(AT_RSDP))->rsdt = 0;
	seal_rsdp();
	acpi_init(&bi);
	assert_int_equal(acpi.table_count, 6);
	fresh(state);
	((struct acpi_header *)at(AT_XSDT))->length = 7;
	((struct acpi_header *)at(AT_RSDT))->checksum++;
	acpi_init(&bi);
	assert_int_equal(acpi.table_count, 1);
	assert_int_equal(views, 0);

	fresh(state);
	((struct acpi_rsdp *)at(AT_RSDP))->extended_checksum++;
	acpi_init(&bi);
	assert_non_null(strstr(fake_log_alarm, "RSDT"));
	assert_int_equal(acpi.table_count, 1);
}

static void set_length(u64 hpa, u32 length)
{
	((struct acpi_header *)at(hpa))->length = length;
}

static void test_bad_lengths(void **state)
{
	set_length(AT_MCFG, 7);
	acpi_init(&bi);
	assert_non_null(strstr(fake_log_alarm, "impossible length"));
	set_length(AT_MCFG, 0xffffffff);
	acpi_init(&bi);
	assert_non_null(strstr(fake_log_alarm, "impossible length"));
	set_length(AT_MCFG, (u32)MIB(1)); /* past the end of memory */
	acpi_init(&bi);
	assert_non_null(strstr(fake_log_alarm, "no such address"));
	assert_int_equal(acpi.ecam_count, 0);
	assert_int_equal(views, 0);
}

static void test_madt_cut(void **state)
{
	u8 *madt = at(AT_MADT);

	madt[44 + 1] = 0; /* an entry of no length: would loop */
	seal(AT_MADT);
	acpi_init(&bi);
	assert_non_null(strstr(fake_log_alarm, "cut"));
	assert_int_equal(acpi.cpu_count, 0);
	madt[44 + 1] = 8;
	madt[44 + 8 + 1] = 255; /* longer than the table */
	seal(AT_MADT);
	acpi_init(&bi);
	assert_int_equal(acpi.cpu_count, 1);
	/* Shorter than its type: skipped, not read; id 4 is listed twice */
	fresh(state);
	madt[44 + 1] = 4;
	madt[44 + 4 + 1] = 4;
	seal(AT_MADT);
	acpi_init(&bi);
	assert_int_equal(acpi.cpu_count, 3);
}

static void test_old_fadt(void **state)
{
	set_length(AT_FADT, 116); /* revision 1: no reset register, no X_ */
	((struct acpi_fadt *)at(AT_FADT))->dsdt = (u32)AT_DSDT;
	seal(AT_FADT);
	acpi_init(&bi);
	assert_int_equal(acpi.pm1a_cnt, 0x604);
	assert_false(acpi.has_reset);
	assert_true(acpi.has_s5);
}

static void s5_try(const u8 *aml, u32 bytes, bool found, u8 a, u8 b)
{
	struct acpi_facts f = { 0 };
	struct acpi_header *h = malloc(sizeof(*h) + bytes);

	h->length = (u32)sizeof(*h) + bytes;
	memcpy(h + 1, aml, bytes);
	acpi_parse_s5(&f, h);
	free(h);
	assert_int_equal(f.has_s5, found);
	if (found) {
		assert_int_equal(f.s5_typ_a, a);
		assert_int_equal(f.s5_typ_b, b);
	}
}

static void test_s5(void **state)
{
	static const u8 zero_one[] = {
		8, '_', 'S', '5', '_', 0x12, 4, 2, 0, 1
	};
	static const u8 root[] = { 8,    '\\', '_', 'S',  '5', '_',
				   0x12, 5,    1,   0x0a, 6 };
	static const u8 long_pkg[] = { 8,    '_',  'S', '5', '_', 0x12,
				       0x40, 0x06, 2,   1,   1 };
	static const u8 other_op[] = {
		8, '_', 'S', '5', '_', 0x11, 4, 2, 0, 1
	};
	static const u8 too_big[] = { 8,    '_', 'S', '5',  '_', 0x12,
				      0x06, 2,   10,  0x0a, 8,   0 };
	static const u8 text[] = { 'x', '_', 'S', '5', '_', 0x12, 4, 2, 0, 1 };

	s5_try(zero_one, sizeof(zero_one), true, 0, 1);
	s5_try(root, sizeof(root), true, 6, 6);
	s5_try(long_pkg, sizeof(long_pkg), true, 1, 1);
	s5_try(other_op, sizeof(other_op), false, 0, 0);
	s5_try(too_big, sizeof(too_big), false, 0, 0);
	s5_try(text, sizeof(text), false, 0, 0);
	/* Cut at each byte: never found, never read past */
	for (u32 n = 0; n < sizeof(zero_one); n++)
		s5_try(zero_one, n, false, 0, 0);
	s5_try(zero_one, 0, false, 0, 0);
}

#define AT_MANY (MEM_HPA + 0x8000)

/* An XSDT of @count tables at AT_MANY, without a body each; the one numbered
 * @bad has a wrong sum */
static void list_many(u32 count, u32 bad)
{
	u64 xsdt[MEM_BYTES / 2 / 64];

	assert_true(count <= ARRAY_SIZE(xsdt));
	for (u32 i = 0; i < count; i++) {
		xsdt[i] = AT_MANY + i * 64;
		table(xsdt[i], "SSDT", "", 0);
		if (i == bad)
			((struct acpi_header *)at(xsdt[i]))->checksum++;
	}
	table(AT_XSDT, "XSDT", xsdt, count * (u32)sizeof(xsdt[0]));
}

/* Every one of them reaches the privileged guest, the bad one too */
static void test_many_tables(void **state)
{
	list_many(40, 33);
	acpi_init(&bi);
	assert_int_equal(acpi.table_count, 40);
	for (u32 i = 0; i < 40; i++) {
		assert_string_equal(acpi.tables[i].signature, "SSDT");
		assert_int_equal(acpi.tables[i].hpa, AT_MANY + i * 64);
	}
	assert_int_equal(fake_log_warnings, 1);
	assert_non_null(strstr(fake_log_alarm, "SSDT at 0x108840"));
	assert_int_equal(views, 0);
	fresh(state);
	/* What has no place is not even summed */
	list_many(ACPI_MAX_TABLES + 30, ACPI_MAX_TABLES + 29);
	acpi_init(&bi);
	assert_int_equal(acpi.table_count, ACPI_MAX_TABLES);
	assert_int_equal(fake_log_warnings, 1); /* not one for each */
	assert_non_null(strstr(fake_log_alarm, "more than 256 tables"));
}

/* An IOMMU is found in a table that has no place in the list, and what cannot
 * be read is told of */
static void test_last_of_many(void **state)
{
	struct {
		u8 fields[DMAR_ENTRIES_OFFSET - sizeof(struct acpi_header)];
		struct dmar_drhd drhd;
	} __packed dmar = {
		.drhd = { { DMAR_DRHD, sizeof(dmar.drhd) },
			  0,
			  0,
			  0,
			  0xfed90000 },
	};
	u64 last = AT_MANY + (ACPI_MAX_TABLES + 29) * 64;

	list_many(ACPI_MAX_TABLES + 30, ~0u);
	table(last, "DMAR", &dmar, sizeof(dmar));
	acpi_init(&bi);
	assert_int_equal(acpi.table_count, ACPI_MAX_TABLES);
	assert_int_equal(acpi.iommu_count, 1);
	assert_null(acpi.iommu_unread);
	assert_int_equal(views, 0);
	fresh(state);
	list_many(40, ~0u);
	table(AT_MANY + 39 * 64, "IVRS", "", 0);
	((struct acpi_header *)at(AT_MANY + 39 * 64))->length = 8;
	acpi_init(&bi);
	assert_string_equal(acpi.iommu_unread, "IVRS");
}

static bool unread_with(u64 entry)
{
	const u64 xsdt[] = { AT_MADT, entry };

	fake_log_reset();
	table(AT_XSDT, "XSDT", xsdt, sizeof(xsdt));
	acpi_init(&bi);
	assert_int_equal(acpi.table_count, 1);
	assert_null(acpi.iommu_unread);
	return acpi.table_unread;
}

/* A table that may be any, and no other one, is told of: DMAR may be lost */
static void test_unread(void **state)
{
	acpi_init(&bi);
	assert_false(acpi.table_unread);
	/* Real tables have such entries */
	assert_false(unread_with(0));
	assert_false(unread_with(AT_MADT));
	assert_int_equal(fake_log_warnings, 0);
	assert_true(unread_with(GIB(4)));
	assert_int_equal(fake_log_warnings, 1);
	assert_true(unread_with(AT_MANY)); /* zeroes */
	assert_non_null(strstr(fake_log_alarm, "table ???? at"));
	memcpy(at(AT_MANY), "BERT", 4);
	assert_false(unread_with(AT_MANY));
	assert_non_null(strstr(fake_log_alarm, "table BERT at"));
	assert_int_equal(views, 0);
}

static void test_unread_roots(void **state)
{
	((struct acpi_header *)at(AT_XSDT))->length = 7;
	acpi_init(&bi);
	assert_false(acpi.table_unread);
	((struct acpi_header *)at(AT_RSDT))->length = 7;
	acpi_init(&bi);
	assert_true(acpi.table_unread);
	fresh(state);
	((struct acpi_header *)at(AT_RSDT))->checksum++;
	((struct acpi_rsdp *)at(AT_RSDP))->extended_checksum++;
	acpi_init(&bi);
	assert_false(acpi.table_unread);
	((struct acpi_rsdp *)at(AT_RSDP))->checksum++;
	acpi_init(&bi);
	assert_true(acpi.table_unread);
	bi.rsdp = 0;
	acpi_init(&bi);
	assert_false(acpi.table_unread);
}

static void test_listed_twice(void **state)
{
	u64 xsdt[40];

	for (u32 i = 0; i < ARRAY_SIZE(xsdt); i++)
		xsdt[i] = i % 2 ? AT_HPET : AT_MADT;
	table(AT_XSDT, "XSDT", xsdt, sizeof(xsdt));
	acpi_init(&bi);
	assert_int_equal(acpi.table_count, 2);
	assert_int_equal(acpi.cpu_count, 3);
	assert_int_equal(acpi.ioapic_count, 2);
	assert_int_equal(acpi.hpet_count, 1);
}

static void test_damage(void **state)
{
	srand(5);
	for (u32 n = 0; n < 3000; n++) {
		static const u64 where[] = { AT_RSDP, AT_XSDT, AT_MADT, AT_FADT,
					     AT_MCFG, AT_HPET, AT_DSDT };
		u64 hpa = where[(u32)rand() % ARRAY_SIZE(where)];

		fresh(state);
		for (u32 k = 0; k < 4; k++)
			((u8 *)at(hpa))[rand() % 128] = (u8)rand();
		/* With a right checksum the parsers see the damage */
		if (hpa == AT_RSDP)
			seal_rsdp();
		else if (((struct acpi_header *)at(hpa))->length < KIB(4))
			seal(hpa);
		acpi_init(&bi);
		assert_int_equal(views, 0);
		assert_true(acpi.cpu_count <= ACPI_MAX_CPUS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_whole, fresh),
		cmocka_unit_test_setup(test_boot_cpu_first, fresh),
		cmocka_unit_test_setup(test_no_tables, fresh),
		cmocka_unit_test_setup(test_bad_checksum, fresh),
		cmocka_unit_test_setup(test_xsdt_falls_back, fresh),
		cmocka_unit_test_setup(test_bad_lengths, fresh),
		cmocka_unit_test_setup(test_madt_cut, fresh),
		cmocka_unit_test_setup(test_old_fadt, fresh),
		cmocka_unit_test_setup(test_s5, fresh),
		cmocka_unit_test_setup(test_no_such_table, fresh),
		cmocka_unit_test_setup(test_many_tables, fresh),
		cmocka_unit_test_setup(test_last_of_many, fresh),
		cmocka_unit_test_setup(test_unread, fresh),
		cmocka_unit_test_setup(test_unread_roots, fresh),
		cmocka_unit_test_setup(test_listed_twice, fresh),
		cmocka_unit_test_setup(test_damage, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
