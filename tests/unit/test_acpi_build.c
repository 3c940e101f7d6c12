/* SOURCES: hv/load/acpi_build.c hv/load/acpi_writer.c hv/load/acpi_rewrite.c hv/load/place.c drivers/acpi_parse.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI tables for guests: every checksum, every pointer, and read back by the
 * hypervisor's own parser. With ACPI_DUMP=FOLDER in the environment each table
 * is written there, for iasl -d. */
#include "tests/unit/load_fakes.h"

#include "drivers/acpi_parse.h"
#include "hv/load/acpi_tables.h"
#include "hv/vdev/vioapic.h"
#include "hv/vdev/vpower.h"

/* As iasl makes them: header, Name (MMIN, DWord), and a byte of something */
static const u8 name_mmin[] = { 0x08, 'M', 'M', 'I', 'N', 0x0c, 1, 2, 3, 4 };
#define DSDT_BYTES (sizeof(struct acpi_header) + sizeof(name_mmin) + 1)
u8 dsdt_isolated_aml_rw[DSDT_BYTES], dsdt_piix_aml_rw[DSDT_BYTES];
extern const u8 dsdt_isolated_aml[DSDT_BYTES]
	__attribute__((alias("dsdt_isolated_aml_rw")));
extern const u8 dsdt_piix_aml[DSDT_BYTES]
	__attribute__((alias("dsdt_piix_aml_rw")));
const u32 dsdt_isolated_aml_size = DSDT_BYTES;
const u32 dsdt_piix_aml_size = DSDT_BYTES;

static void make_dsdt(u8 *aml)
{
	struct acpi_header *h = (void *)aml;

	memcpy(h->signature, "DSDT", 4);
	h->length = DSDT_BYTES;
	memcpy(h + 1, name_mmin, sizeof(name_mmin));
	aml[DSDT_BYTES - 1] = 0x55;
	h->checksum = 0;
	for (u32 i = 0; i < DSDT_BYTES; i++)
		h->checksum = (u8)(h->checksum - (i == 9 ? 0 : aml[i]));
}

static int setup(void **state)
{
	make_dsdt(dsdt_isolated_aml_rw);
	make_dsdt(dsdt_piix_aml_rw);
	return vm_setup(state);
}

static void dump(const char *kind, const struct acpi_header *h)
{
	const char *folder = getenv("ACPI_DUMP");
	char path[200];
	FILE *f;

	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/%s-%.4s.aml", folder, kind,
		 h->signature);
	f = fopen(path, "wb");
	assert_non_null(f);
	fwrite(h, 1, h->length, f);
	fclose(f);
}

/* The table @signature in the guest's XSDT; NULL: not there */
static const struct acpi_header *find(const char *signature)
{
	const struct acpi_rsdp *r = (const void *)at(vm.acpi_rsdp, sizeof(*r));
	const struct acpi_header *x, *t;

	assert_memory_equal(r->signature, "RSD PTR ", 8);
	assert_true(acpi_checksum_ok(r, ACPI_RSDP_V1_BYTES));
	assert_true(acpi_checksum_ok(r, ACPI_RSDP_V2_BYTES));
	assert_int_equal(r->revision, 2);
	x = (const void *)at(r->xsdt, sizeof(*x));
	assert_memory_equal(x->signature, "XSDT", 4);
	assert_true(acpi_checksum_ok(x, x->length));
	for (u32 i = 0; i < (x->length - sizeof(*x)) / 8; i++) {
		u64 gpa;

		memcpy(&gpa, (const u8 *)(x + 1) + i * 8, 8);
		t = (const void *)at(gpa, sizeof(*t));
		assert_non_null(t);
		if (!memcmp(t->signature, signature, 4))
			return t;
	}
	return NULL;
}

static const struct acpi_header *find_good(const char *kind,
					   const char *signature)
{
	const struct acpi_header *t = find(signature);

	assert_non_null(t);
	assert_true(acpi_checksum_ok(t, t->length));
	dump(kind, t);
	return t;
}

static void test_isolated(void **state)
{
	const struct acpi_fadt *f;
	const struct acpi_header *dsdt;
	struct acpi_facts facts = { 0 };
	u64 dsdt_gpa, facs;

	(void)state;
	assert_int_equal(acpi_build(&vm), 0);
	assert_int_equal(vm.acpi_rsdp, ACPI_AREA_ISOLATED);
	f = (const void *)find_good("isolated", "FACP");
	assert_true(f->flags & FADT_HW_REDUCED);
	assert_true(f->flags & FADT_RESET_REG_SUP);
	assert_int_equal(f->sleep_control.address, VPOWER_SLEEP_CONTROL);
	assert_int_equal(f->sleep_status.address, VPOWER_SLEEP_STATUS);
	assert_int_equal(f->reset_reg.address, VPOWER_RESET);
	assert_int_equal(f->reset_value, 1);
	assert_int_equal(f->pm1a_cnt_blk, 0);
	assert_int_equal(f->x_dsdt, f->dsdt);
	assert_int_equal(f->facs, 0);
	dsdt = (const void *)at(f->x_dsdt, DSDT_BYTES);
	assert_memory_equal(dsdt, dsdt_isolated_aml, DSDT_BYTES);
	acpi_parse_fadt(&facts, &f->header, &dsdt_gpa, &facs);
	assert_int_equal(dsdt_gpa, f->x_dsdt);
	assert_true(facts.has_reset);
	acpi_parse_madt(&facts, find_good("isolated", "APIC"));
	assert_int_equal(facts.cpu_count, 2);
	assert_int_equal(facts.cpu_apic_ids[1], 1);
	assert_int_equal(facts.lapic_base, 0xfee00000);
	assert_int_equal(facts.ioapic_count, 1);
	assert_int_equal(facts.ioapics[0].base, VIOAPIC_BASE);
	assert_int_equal(facts.override_count, 0);
	assert_false(((const struct acpi_madt *)find("APIC"))->flags & 1);
}

static void test_many_cpus(void **state)
{
	static struct vcpu many[VM_MAX_VCPUS];
	struct acpi_facts facts = { 0 };

	(void)state;
	vm.vcpu_count = VM_MAX_VCPUS;
	for (u32 i = 0; i < VM_MAX_VCPUS; i++) {
		many[i].id = i * 3; /* past 254: x2APIC entries */
		vm.vcpus[i] = &many[i];
	}
	assert_int_equal(acpi_build(&vm), 0);
	acpi_parse_madt(&facts, find_good("many", "APIC"));
	assert_int_equal(facts.cpu_count, VM_MAX_VCPUS);
	assert_int_equal(facts.cpu_apic_ids[127], 381);
}

/* A machine with a PIIX4 and no tables (drivers/piix4.c) */
static void test_privileged_from_nothing(void **state)
{
	const struct acpi_fadt *f;
	const struct acpi_header *dsdt;
	struct acpi_facts facts = { 0 };
	u32 mmin;

	(void)state;
	vm_make_privileged();
	acpi.pm1a_evt = 0xb000;
	acpi.pm1a_cnt = 0xb004;
	acpi.pm_timer = 0xb008;
	acpi.sci_gsi = 9;
	acpi.override_count = 2;
	acpi.overrides[0] = (struct acpi_override){ 0, 2, 0 };
	acpi.overrides[1] = (struct acpi_override){ 9, 9, 0xd };
	assert_int_equal(acpi_build(&vm), 0);
	assert_int_equal(vm.acpi_rsdp, MIB(64) - ACPI_AREA_BYTES);
	f = (const void *)find_good("piix", "FACP");
	assert_false(f->flags & FADT_HW_REDUCED);
	assert_int_equal(f->pm1a_cnt_blk, 0xb004);
	assert_int_equal(f->x_pm_tmr.address, 0xb008);
	assert_int_equal(f->sci_int, 9);
	assert_int_equal(f->facs % 64, 0);
	assert_memory_equal(at(f->facs, 4), "FACS", 4);
	dsdt = (const void *)at(f->x_dsdt, DSDT_BYTES);
	assert_true(acpi_checksum_ok(dsdt, DSDT_BYTES));
	memcpy(&mmin, (const u8 *)(dsdt + 1) + 6, 4);
	assert_int_equal(mmin, 0x80000000);
	acpi_parse_madt(&facts, find_good("piix", "APIC"));
	assert_int_equal(facts.ioapics[0].base, VIOAPIC_BASE);
	assert_int_equal(facts.override_count, 2);
	assert_int_equal(facts.overrides[0].gsi, 2);
	assert_int_equal(facts.overrides[1].flags, 0xd);
	assert_true(((const struct acpi_madt *)find("APIC"))->flags & 1);

	/* RAM up to 3 GiB pushes PCI memory up */
	vm.slot_count = 0;
	owner_rows = 0;
	vm_make_privileged();
	owners[owner_rows++] = (struct extent){ GIB(1), GIB(2), OWNER_FREE, 0,
						BOOT_MEM_CONVENTIONAL };
	assert_int_equal(acpi_build(&vm), 0);
	f = (const void *)find("FACP");
	memcpy(&mmin, at(f->x_dsdt + sizeof(*dsdt) + 6, 4), 4);
	assert_int_equal(mmin, GIB(3));
}

static void host_table(const char *signature, u64 hpa)
{
	struct acpi_table *t = &acpi.tables[acpi.table_count++];
	struct acpi_header *h = (void *)(ram + hpa);

	memset(h, 0, sizeof(*h));
	memcpy(t->signature, signature, 5);
	memcpy(h->signature, signature, 4);
	h->length = sizeof(*h);
	t->hpa = hpa;
}

static void test_rewrite(void **state)
{
	static const char *const kept[] = { "FACP", "MCFG", "SSDT", "WAET" };
	static const char *const held[] = { "SRAT", "SLIT", "HPET",
					    "DMAR", "IVRS", "BGRT" };
	struct acpi_facts facts = { 0 };

	(void)state;
	vm_make_privileged();
	vm.slots[vm.slot_count++] =
		(struct vm_slot){ MIB(56), MIB(56), MIB(1), false };
	acpi.present = true;
	for (u64 i = 0; i < ARRAY_SIZE(kept); i++)
		host_table(kept[i], MIB(56) + i * 64);
	for (u64 i = 0; i < ARRAY_SIZE(held); i++)
		host_table(held[i], MIB(56) + 4096 + i * 64);
	host_table("APIC", MIB(56) + 8192);
	host_table("DSDT", MIB(56) + 8256);
	acpi.cpu_count = 4;
	for (u32 i = 0; i < 4; i++)
		acpi.cpu_acpi_uids[i] = 10 + i;
	acpi.ioapic_count = 2;
	acpi.ioapics[0] = (struct acpi_ioapic){ 8, 0xfec00000, 0 };
	acpi.ioapics[1] = (struct acpi_ioapic){ 9, 0xfec01000, 24 };
	acpi.override_count = 1;
	acpi.overrides[0] = (struct acpi_override){ 0, 2, 0 };
	assert_int_equal(acpi_rewrite(&vm), 0);
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		assert_ptr_equal(find(kept[i]), ram + acpi.tables[i].hpa);
	for (u32 i = 0; i < ARRAY_SIZE(held); i++)
		assert_null(find(held[i]));
	assert_null(find("DSDT"));
	acpi_parse_madt(&facts, find_good("rewritten", "APIC"));
	assert_int_equal(facts.cpu_count, 2);
	assert_int_equal(facts.cpu_apic_ids[0], 0);
	assert_int_equal(facts.cpu_acpi_uids[1], 11);
	assert_int_equal(facts.ioapic_count, 2);
	assert_int_equal(facts.ioapics[1].gsi_base, 24);
	assert_int_equal(facts.override_count, 1);
}

static void test_no_room(void **state)
{
	(void)state;
	pool_empty = true;
	assert_int_equal(acpi_build(&vm), -ENOMEM);
	pool_empty = false;
	vm.slots[0].size = 0x1000;
	assert_int_equal(acpi_build(&vm), -EFAULT);
	assert_int_equal(vm.acpi_rsdp, 0);
	vm.privileged = true; /* owns nothing */
	assert_int_equal(acpi_rewrite(&vm), -ENOMEM);
}

#define acpi_test(f) cmocka_unit_test_setup_teardown(f, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		acpi_test(test_isolated),
		acpi_test(test_many_cpus),
		acpi_test(test_privileged_from_nothing),
		acpi_test(test_rewrite),
		acpi_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
