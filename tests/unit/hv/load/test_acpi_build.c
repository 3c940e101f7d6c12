/* SOURCES: hv/load/acpi_build.c hv/load/acpi_pc.c hv/load/acpi_madt.c hv/load/acpi_writer.c hv/load/acpi_rewrite.c hv/load/acpi_log.c hv/load/acpi_dmar.c lib/log_ring.c hv/load/acpi_srat.c hv/load/acpi_publish.c hv/load/place.c hv/load/pages.c lib/string.c drivers/acpi/parse.c drivers/acpi/parse_mcfg.c drivers/acpi/parse_numa.c drivers/acpi/parse_iommu.c check/iommu.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables for guests: every checksum, every pointer, and read back by the
 * hypervisor's own parser, taken apart and put together by iasl, and placed by
 * a firmware's loader. Over 400 lines: the tables built once are looked at
 * from three sides.
 */
#include "tests/unit/fakes/loader.h"
#include "tests/unit/fakes/serial.h"

#include "check/facts.h"
#include "drivers/acpi/parse.h"
#include "hv/device/fwcfg/fwcfg.h"
#include "hv/irq/vioapic.h"
#include "hv/load/acpi_tables.h"
#include "hv/load/platform.h"
#include "lib/log_ring.h"

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

/* iasl takes the table apart and finds nothing to say about it, and makes the
 * same bytes of what it wrote, but for the names of the makers; AML it would
 * encode shorter */
static void judge_by_iasl(const char *kind, const struct acpi_header *h)
{
	char dir[] = "/tmp/acpiXXXXXX", cmd[400];
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(cmd, sizeof(cmd), "%s/t.dat", dir);
	f = fopen(cmd, "wb");
	assert_non_null(f);
	fwrite(h, 1, h->length, f);
	fclose(f);
	snprintf(cmd, sizeof(cmd),
		 "cd %s && iasl -d t.dat >log 2>&1 && iasl -we -p u t.dsl "
		 ">>log 2>&1 && ! grep -iE 'warning|invalid|incorrect|unknown' "
		 "log | grep -v ' 0 Warnings' && { grep -q SSDT t.dat || cmp "
		 "-i 36 t.dat u.aml; } || { "
		 "echo %s %.4s; cat log; exit 1; }",
		 dir, kind, h->signature);
	assert_int_equal(system(cmd), 0);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
}

/* The table @signature in the guest's XSDT; NULL: not there */
static const struct acpi_header *find(const char *signature)
{
	const struct acpi_rsdp *r =
		(const void *)fake_ram_at(fake_vm.acpi_rsdp, sizeof(*r));
	const struct acpi_header *x, *t;

	assert_memory_equal(r->signature, "RSD PTR ", 8);
	assert_true(check_adds_up(r, ACPI_RSDP_V1_BYTES));
	assert_true(check_adds_up(r, ACPI_RSDP_V2_BYTES));
	assert_int_equal(r->revision, 2);
	x = (const void *)fake_ram_at(r->xsdt, sizeof(*x));
	assert_memory_equal(x->signature, "XSDT", 4);
	assert_true(check_adds_up(x, x->length));
	for (u32 i = 0; i < (x->length - sizeof(*x)) / 8; i++) {
		u64 gpa;

		memcpy(&gpa, (const u8 *)(x + 1) + i * 8, 8);
		t = (const void *)fake_ram_at(gpa, sizeof(*t));
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
	assert_true(check_adds_up(t, t->length));
	judge_by_iasl(kind, t);
	return t;
}

/* A block has both forms of address or none, and as many bits as bytes; it is
 * read as its registers are wide (ACPI 6.4, 4.8.3) */
static void check_block(u32 port, u32 bytes, const struct acpi_gas_raw *x,
			u32 access)
{
	assert_int_equal(port, x->address);
	if (!port) {
		assert_int_equal(bytes, 0);
		return;
	}
	assert_int_equal(x->space, ACPI_SPACE_IO);
	assert_int_equal(x->bits, bytes * 8);
	assert_int_equal(x->offset, 0);
	assert_int_equal(x->access, access);
}

/* What the FADT parsers of Xen, ACPICA (FreeBSD, Linux) and Windows look at */
static void check_fadt_as_kernels_do(const struct acpi_fadt *f)
{
	assert_int_equal(f->header.length, sizeof(struct acpi_fadt6));
	assert_int_equal(f->header.revision, 6);
	assert_int_equal(f->dsdt, f->x_dsdt);
	assert_int_not_equal(f->dsdt, 0);
	assert_int_equal(f->facs, f->x_facs);
	if (f->flags & FADT_HW_REDUCED)
		return;
	assert_int_not_equal(f->facs, 0);
	assert_int_equal(f->facs % 64, 0);
	assert_memory_equal(fake_ram_at(f->facs, 64), "FACS", 4);
	assert_int_equal(*fake_ram_u32(f->facs + 4), 64);
	/* Required: events, control, timer */
	assert_int_not_equal(f->pm1a_evt_blk, 0);
	assert_int_equal(f->pm1_evt_len, 4);
	assert_int_not_equal(f->pm1a_cnt_blk, 0);
	assert_int_equal(f->pm1_cnt_len, 2);
	assert_int_not_equal(f->pm_tmr_blk, 0);
	assert_int_equal(f->pm_tmr_len, 4);
	assert_int_equal(f->gpe0_blk_len % 2, 0);
	check_block(f->pm1a_evt_blk, f->pm1_evt_len, &f->x_pm1a_evt,
		    ACPI_ACCESS_WORDS);
	check_block(f->pm1a_cnt_blk, f->pm1_cnt_len, &f->x_pm1a_cnt,
		    ACPI_ACCESS_WORDS);
	check_block(f->pm_tmr_blk, f->pm_tmr_len, &f->x_pm_tmr,
		    ACPI_ACCESS_DWORDS);
	check_block(f->gpe0_blk, f->gpe0_blk_len, &f->x_gpe0,
		    ACPI_ACCESS_BYTES);
	/* Optional: none of them */
	check_block(f->pm1b_evt_blk, 0, &f->x_pm1b_evt, 0);
	check_block(f->pm1b_cnt_blk, 0, &f->x_pm1b_cnt, 0);
	check_block(f->pm2_cnt_blk, f->pm2_cnt_len, &f->x_pm2_cnt, 0);
	check_block(f->gpe1_blk, f->gpe1_blk_len, &f->x_gpe1, 0);
	/* ACPI mode is switched on by a command, or is on for ever */
	assert_true(!f->smi_cmd == !f->acpi_enable);
	assert_true(f->flags & FADT_WBINVD && f->flags & FADT_PROC_C1);
	assert_int_equal(f->reset_reg.bits, 8);
	assert_int_equal(f->reset_reg.space, ACPI_SPACE_IO);
}

static void check_fadt(const struct acpi_fadt *f)
{
	check_fadt_as_kernels_do(f);
	assert_false(f->flags & FADT_HW_REDUCED);
	assert_false(f->flags & FADT_TMR_VAL_EXT);
	assert_true(f->flags & FADT_RESET_REG_SUP);
	assert_int_equal(f->header.revision, 6);
	assert_int_equal(f->sci_int, 9);
	assert_int_equal(f->smi_cmd, 0xb2);
	assert_int_not_equal(f->acpi_enable, f->acpi_disable);
	assert_int_equal(f->pm1a_evt_blk, 0x600);
	assert_int_equal(f->x_pm1a_evt.bits, f->pm1_evt_len * 8);
	assert_int_equal(f->pm1a_cnt_blk, 0x604);
	assert_int_equal(f->x_pm1a_cnt.address, 0x604);
	assert_int_equal(f->pm_tmr_blk, 0x608);
	assert_int_equal(f->gpe0_blk, 0x620);
	assert_int_equal(f->x_gpe0.bits, f->gpe0_blk_len * 8);
	assert_int_equal(f->reset_reg.address, 0xcf9);
	assert_int_equal(f->reset_value, 6);
	assert_int_equal(f->century, 0x32);
}

static void test_isolated(void **state)
{
	const struct acpi_header *dsdt;
	const struct acpi_fadt *f;
	struct acpi_facts facts = { 0 };
	u64 dsdt_gpa, facs;

	assert_int_equal(acpi_build(&fake_vm), 0);
	assert_int_equal(fake_vm.acpi_rsdp, PC_BIOS_AREA);
	f = (const void *)find_good("isolated", "FACP");
	check_fadt(f);
	dsdt = (const void *)fake_ram_at(f->x_dsdt, DSDT_BYTES);
	assert_memory_equal(dsdt, dsdt_isolated_aml, DSDT_BYTES);
	acpi_parse_fadt(&facts, &f->header, &dsdt_gpa, &facs);
	assert_int_equal(dsdt_gpa, f->x_dsdt);
	assert_true(facts.has_reset);
	acpi_parse_mcfg(&facts, find_good("isolated", "MCFG"));
	acpi_parse_hpet(&facts, find_good("isolated", "HPET"));
	find_good("isolated", "WAET");
	find_good("isolated", "SSDT");
}

static void test_isolated_madt(void **state)
{
	struct acpi_facts facts = { 0 };

	assert_int_equal(acpi_build(&fake_vm), 0);
	acpi_parse_madt(&facts, find_good("isolated", "APIC"));
	assert_int_equal(facts.cpu_count, 2);
	assert_int_equal(facts.cpu_apic_ids[1], 1);
	assert_int_equal(facts.lapic_base, 0xfee00000);
	assert_int_equal(facts.ioapic_count, 1);
	assert_int_equal(facts.ioapics[0].base, VIOAPIC_BASE);
	assert_int_equal(facts.override_count, 2);
	assert_int_equal(facts.overrides[0].isa_irq, 0);
	assert_int_equal(facts.overrides[0].gsi, 2);
	assert_int_equal(facts.overrides[1].gsi, 9);
	assert_int_equal(facts.overrides[1].flags, 0xd);
	assert_true(((const struct acpi_madt *)find("APIC"))->flags & 1);
}

/* RSDT and XSDT name the same tables */
static void test_roots(void **state)
{
	const struct acpi_rsdp *r;
	const struct acpi_header *rsdt, *xsdt;
	u32 count;

	assert_int_equal(acpi_build(&fake_vm), 0);
	r = (const void *)fake_ram_at(fake_vm.acpi_rsdp, sizeof(*r));
	rsdt = (const void *)fake_ram_at(r->rsdt, sizeof(*rsdt));
	xsdt = (const void *)fake_ram_at(r->xsdt, sizeof(*xsdt));
	assert_memory_equal(rsdt->signature, "RSDT", 4);
	assert_true(check_adds_up(rsdt, rsdt->length));
	count = (u32)(xsdt->length - sizeof(*xsdt)) / 8;
	assert_int_equal(rsdt->length - sizeof(*rsdt), count * 4);
	assert_true(count >= 6);
	for (u32 i = 0; i < count; i++) {
		u64 wide = 0, narrow = 0;

		memcpy(&wide, (const u8 *)(xsdt + 1) + i * 8, 8);
		memcpy(&narrow, (const u8 *)(rsdt + 1) + i * 4, 4);
		assert_int_equal(wide, narrow);
	}
}

/* What the MADT parsers of Xen, FreeBSD and Windows look at: entries that end
 * where the table does; the boot CPU first, no UID or APIC id twice; an IOAPIC
 * from GSI 0 on; the SCI level; an NMI pin that is LINT1 */
static void check_madt_as_kernels_do(const struct acpi_madt *m)
{
	const u8 *p = (const u8 *)(m + 1),
		 *end = (const u8 *)m + m->header.length;
	u32 cpus = 0, ioapics = 0, nmis = 0, sci = 0;

	assert_int_equal(m->lapic_base, 0xfee00000);
	for (; p < end; p += ((const struct madt_entry *)p)->length) {
		const struct madt_lapic *l = (const void *)p;
		const struct madt_ioapic *io = (const void *)p;
		const struct madt_override *o = (const void *)p;
		const struct madt_lapic_nmi *n = (const void *)p;

		assert_true(l->entry.length >= 2);
		assert_true(p + l->entry.length <= end);
		switch (l->entry.type) {
		case MADT_LAPIC:
			assert_int_equal(l->apic_id, cpus);
			assert_int_equal(l->uid, cpus++);
			assert_int_equal(l->flags, MADT_CPU_ENABLED);
			break;
		case MADT_IOAPIC:
			ioapics++;
			assert_int_equal(io->gsi_base, 0);
			assert_int_equal(io->base % PAGE_SIZE, 0);
			break;
		case MADT_OVERRIDE:
			assert_int_equal(o->bus, 0);
			assert_true(o->gsi < 24);
			sci += o->irq == 9 && o->flags == MADT_LEVEL_HIGH;
			break;
		case MADT_LAPIC_NMI:
			nmis += n->uid == MADT_ALL_CPUS && n->lint == 1;
			break;
		default:
			fail_msg("type %u", l->entry.type);
		}
	}
	assert_ptr_equal(p, end);
	assert_int_equal(cpus, fake_vm.vcpu_count);
	assert_int_equal(ioapics, 1);
	assert_int_equal(nmis, 1);
	assert_int_equal(sci, 1);
}

static void test_madt_for_kernels(void **state)
{
	assert_int_equal(acpi_build(&fake_vm), 0);
	check_madt_as_kernels_do((const void *)find("APIC"));
}

static void test_many_cpus(void **state)
{
	static struct vcpu many[VM_MAX_ISOLATED_VCPUS];
	struct acpi_facts facts = { 0 };

	fake_vm.vcpu_count = VM_MAX_ISOLATED_VCPUS;
	for (u32 i = 0; i < VM_MAX_ISOLATED_VCPUS; i++) {
		many[i].id = i * 3; /* past 254: x2APIC entries */
		fake_vm.vcpus[i] = &many[i];
	}
	assert_int_equal(acpi_build(&fake_vm), 0);
	acpi_parse_madt(&facts, find_good("many", "APIC"));
	assert_int_equal(facts.cpu_count, VM_MAX_ISOLATED_VCPUS);
	assert_int_equal(facts.cpu_apic_ids[127], 381);
	find_good("many", "SSDT");
}

/* A machine with a PIIX4 and no tables (drivers/power/piix4.c) */
static void test_privileged_from_nothing(void **state)
{
	const struct acpi_fadt *f;
	const struct acpi_header *dsdt;
	struct acpi_facts facts = { 0 };
	u32 mmin;

	vm_make_privileged();
	acpi.pm1a_evt = 0xb000;
	acpi.pm1a_cnt = 0xb004;
	acpi.pm_timer = 0xb008;
	acpi.sci_gsi = 9;
	acpi.override_count = 2;
	acpi.overrides[0] = (struct acpi_override){ 0, 2, 0 };
	acpi.overrides[1] = (struct acpi_override){ 9, 9, 0xd };
	assert_int_equal(acpi_build(&fake_vm), 0);
	assert_int_equal(fake_vm.acpi_rsdp, MIB(64) - ACPI_AREA_BYTES);
	f = (const void *)find_good("piix", "FACP");
	assert_false(f->flags & FADT_HW_REDUCED);
	assert_int_equal(f->pm1a_cnt_blk, 0xb004);
	assert_int_equal(f->x_pm_tmr.address, 0xb008);
	assert_int_equal(f->sci_int, 9);
	check_fadt_as_kernels_do(f);
	dsdt = (const void *)fake_ram_at(f->x_dsdt, DSDT_BYTES);
	assert_true(check_adds_up(dsdt, DSDT_BYTES));
	memcpy(&mmin, (const u8 *)(dsdt + 1) + 6, 4);
	assert_int_equal(mmin, 0x80000000);
	acpi_parse_madt(&facts, find_good("piix", "APIC"));
	assert_int_equal(facts.ioapics[0].base, VIOAPIC_BASE);
	assert_int_equal(facts.override_count, 2);
	assert_int_equal(facts.overrides[0].gsi, 2);
	assert_int_equal(facts.overrides[1].flags, 0xd);
	assert_true(((const struct acpi_madt *)find("APIC"))->flags & 1);

	/* RAM up to 3 GiB pushes PCI memory up */
	fake_vm.slot_count = 0;
	fake_owner_count = 0;
	vm_make_privileged();
	fake_owners[fake_owner_count++] =
		(struct extent){ GIB(1), GIB(2), OWNER_FREE, 0,
				 BOOT_MEM_CONVENTIONAL };
	assert_int_equal(acpi_build(&fake_vm), 0);
	f = (const void *)find("FACP");
	memcpy(&mmin, fake_ram_at(f->x_dsdt + sizeof(*dsdt) + 6, 4), 4);
	assert_int_equal(mmin, GIB(3));
}

static void host_table(const char *signature, u64 hpa)
{
	struct acpi_table *t = &acpi.tables[acpi.table_count++];
	struct acpi_header *h = (void *)(fake_ram + hpa);

	memset(h, 0, sizeof(*h));
	memcpy(t->signature, signature, 5);
	memcpy(h->signature, signature, 4);
	h->length = sizeof(*h);
	t->hpa = hpa;
}

/* Entries of each kind in the guest's MADT */
static u32 madt_entries(u8 type)
{
	const u8 *m = (const void *)find_good("rewritten", "APIC");
	u32 length = ((const struct acpi_header *)m)->length, n = 0;

	for (u32 at = sizeof(struct acpi_madt); at < length; at += m[at + 1])
		n += m[at] == type;
	return n;
}

/* 1,024 vCPUs, by the host's UIDs: Linux passes over an x2APIC entry for an id
 * below 255 where there are LAPIC entries, too */
static void test_rewrite_1024_cpus(void **state)
{
	static struct vcpu many[VM_MAX_VCPUS];
	struct acpi_facts facts = { 0 };

	for (u32 first = 0; first < 2; first++) {
		vm_make_privileged();
		slot_add(MIB(56), MIB(1));
		acpi.present = true;
		fake_vm.vcpu_count = acpi.cpu_count = VM_MAX_VCPUS;
		for (u32 i = 0; i < VM_MAX_VCPUS; i++) {
			many[i].id = i;
			fake_vm.vcpus[i] = &many[i];
			acpi.cpu_acpi_uids[i] = i + first;
		}
		assert_int_equal(acpi_rewrite(&fake_vm), 0);
		assert_int_equal(madt_entries(MADT_LAPIC), first ? 0 : 255);
		assert_int_equal(madt_entries(MADT_X2APIC),
				 first ? 1024 : 1024 - 255);
		assert_int_equal(madt_entries(MADT_X2APIC_NMI), 1);
		memset(&facts, 0, sizeof(facts));
		acpi_parse_madt(&facts, find_good("rewritten", "APIC"));
		assert_int_equal(facts.cpu_count, VM_MAX_VCPUS);
		assert_int_equal(facts.cpu_apic_ids[255], 255);
		assert_int_equal(facts.cpu_acpi_uids[1023], 1023 + first);
	}
}

/* As many as the firmware has: one XSDT names them all */
static void test_rewrite_many(void **state)
{
	const struct acpi_header *x;
	const struct acpi_rsdp *r;

	vm_make_privileged();
	slot_add(MIB(56), MIB(1));
	acpi.present = true;
	for (u64 i = 0; i < ACPI_MAX_TABLES; i++)
		host_table("SSDT", MIB(56) + i * 64);
	assert_int_equal(acpi_rewrite(&fake_vm), 0);
	r = (const void *)fake_ram_at(fake_vm.acpi_rsdp, sizeof(*r));
	x = (const void *)fake_ram_at(r->xsdt, sizeof(*x));
	/* And the MADT */
	assert_int_equal(x->length, sizeof(*x) + (ACPI_MAX_TABLES + 1) * 8);
	assert_non_null(find("APIC"));
}

static void test_rewrite(void **state)
{
	static const char *const kept[] = { "FACP", "MCFG", "SSDT",
					    "WAET", "SPCR", "DBG2" };
	static const char *const held[] = { "SRAT", "SLIT", "HPET",
					    "DMAR", "IVRS", "BGRT" };
	struct acpi_facts facts = { 0 };

	vm_make_privileged();
	slot_add(MIB(56), MIB(1));
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
	assert_int_equal(acpi_rewrite(&fake_vm), 0);
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		assert_ptr_equal(find(kept[i]), fake_ram + acpi.tables[i].hpa);
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
	/* The console is not where the guest has its own */
	fake_has_serial = true;
	fake_serial.at.base = COM2_PORT;
	assert_int_equal(acpi_rewrite(&fake_vm), 0);
	assert_non_null(find("FACP"));
	assert_null(find("SPCR"));
	assert_null(find("DBG2"));
	fake_has_serial = false;
}

/* The machine's DMAR is not the guest's; its own names one function */
static void test_rewrite_has_a_dmar(void **state)
{
	struct acpi_facts facts = { 0 };
	const struct dmar_scope *scope;
	const struct acpi_header *h;

	vm_make_privileged();
	slot_add(MIB(56), MIB(1));
	acpi.present = true;
	host_table("DMAR", MIB(56));
	assert_int_equal(acpi_rewrite(&fake_vm), 0);
	assert_null(find("DMAR"));
	fake_vm.remap = (struct vm_remap){ 0x7ff1000, 0x7a };
	fake_vm.phys_bits = 39;
	assert_int_equal(acpi_rewrite(&fake_vm), 0);
	h = find_good("rewritten", "DMAR");
	assert_int_equal(h->length, 72);
	assert_int_equal(((const struct acpi_dmar *)h)->width, 38);
	acpi_parse_iommus(&facts, h);
	assert_int_equal(facts.iommu_count, 1);
	assert_int_equal(facts.iommus[0].base, 0x7ff1000);
	assert_int_equal(facts.iommus[0].size, PAGE_SIZE);
	assert_false(facts.dma_opt_in);
	scope = (const struct dmar_scope *)((const u8 *)h + 64);
	assert_int_equal(scope->type, DMAR_SCOPE_ENDPOINT);
	assert_int_equal(scope->bus, 0);
	assert_int_equal(scope->device, 0x0f);
	assert_int_equal(scope->function, 2);
}

/* What the boot before said: its last lines, whole, and the rest of the tables
 * fits in any case */
static void test_rewrite_offers_the_log(void **state)
{
	static char ring[LOG_RING_BYTES];
	const struct acpi_header *h;
	const char *text;
	char line[64];

	vm_make_privileged();
	slot_add(MIB(56), MIB(1));
	acpi.present = true;
	for (u64 i = 0; i < ACPI_MAX_TABLES; i++)
		host_table("SSDT", MIB(56) + i * 64);
	log_ring_attach(ring, sizeof(ring));
	for (u32 i = 0; i < 2000; i++)
		log_ring_write(line, (size_t)snprintf(line, sizeof(line),
						      "line %u\n", i));
	log_ring_end(LOG_END_PANIC);
	log_ring_attach(ring, sizeof(ring));
	assert_int_equal(acpi_rewrite(&fake_vm), 0);
	h = find("BHLG");
	assert_true(h && check_adds_up(h, h->length));
	text = (const char *)(h + 1);
	assert_in_range(h->length, KIB(16), ACPI_AREA_BYTES);
	assert_memory_equal(text, "line ", 5);
	assert_memory_equal(text + h->length - sizeof(*h) - 10, "line 1999\n",
			    10);
	/* Nobody gets it after an orderly end */
	log_ring_write("x\n", 2);
	log_ring_end(LOG_END_ORDERLY);
	log_ring_attach(ring, sizeof(ring));
	assert_int_equal(acpi_rewrite(&fake_vm), 0);
	assert_null(find("BHLG"));
}

/* However little room the tables before it have left, and wherever they end:
 * the area is larger where there is an SRAT */
static void test_log_stays_in_its_room(void **state)
{
	static char ring[LOG_RING_BYTES];
	static u8 buf[2 * ACPI_AREA_BYTES];
	const u32 bytes = ACPI_AREA_BYTES + KIB(16);
	u32 tables = 0;

	vm_make_privileged();
	log_ring_attach(ring, sizeof(ring));
	for (u32 i = 0; i < 2000; i++)
		log_ring_write("a line of the log\n", 18);
	log_ring_end(LOG_END_PANIC);
	log_ring_attach(ring, sizeof(ring));
	memset(buf, 0xaa, sizeof(buf));
	for (u32 used = ACPI_AREA_BYTES; used < bytes; used++) {
		struct acpi_writer w = {
			.vm = &fake_vm, .buf = buf, .bytes = bytes, .used = used
		};

		acpi_write_log(&w);
		tables += w.table_count;
		assert_in_range(w.used, used, bytes);
		assert_false(w.full);
		assert_int_equal(buf[bytes], 0xaa);
	}
	/* Some find room, some do not */
	assert_in_range(tables, KIB(8), KIB(16) - 1);
}

/* --- a firmware's loader, in miniature --- */

struct fw_file {
	char name[56];
	u8 bytes[ACPI_AREA_BYTES];
	u32 size;
	u64 base; /* gpa it was placed at; 0: not yet */
};

static struct fw_file fw_files[3];
static u32 fw_count;

int fwcfg_add_file(struct vm *v, const char *name, const void *data, u32 len)
{
	struct fw_file *f = &fw_files[fw_count++];

	assert_ptr_equal(v, &fake_vm);
	assert_true(fw_count <= ARRAY_SIZE(fw_files));
	assert_true(len <= sizeof(f->bytes));
	strcpy(f->name, name);
	memcpy(f->bytes, data, len);
	f->size = len;
	f->base = 0;
	return 0;
}

static struct fw_file *fw_find(const char *name)
{
	for (u32 i = 0; i < fw_count; i++)
		if (!strcmp(fw_files[i].name, name))
			return &fw_files[i];
	fail_msg("no file %s", name);
	return NULL;
}

static u32 dword(const u8 *p)
{
	u32 v;

	memcpy(&v, p, 4);
	return v;
}

static void fw_allocate(const u8 *c)
{
	static u64 next_high;
	struct fw_file *f = fw_find((const char *)c + 4);
	u32 align = dword(c + 60);

	if (!next_high)
		next_high = MIB(48) + 0x123;
	assert_int_equal(f->base, 0);
	if (c[64] == 2) {
		f->base = ALIGN_UP(0xf5a35ull, align);
	} else {
		assert_int_equal(c[64], 1);
		f->base = ALIGN_UP(next_high, align);
	}
	memcpy(fake_ram_at(f->base, f->size), f->bytes, f->size);
}

static void fw_point(const u8 *c)
{
	struct fw_file *dest = fw_find((const char *)c + 4);
	struct fw_file *source = fw_find((const char *)c + 60);
	u32 offset = dword(c + 116);
	u8 size = c[120];
	u64 value = 0;

	assert_true(dest->base && source->base);
	assert_true(offset + size <= dest->size);
	memcpy(&value, fake_ram_at(dest->base + offset, size), size);
	assert_true(value < source->size);
	value += source->base;
	memcpy(fake_ram_at(dest->base + offset, size), &value, size);
}

/* As OVMF does it: the sum of the range is stored, and the byte is in it */
static void fw_sum(const u8 *c)
{
	struct fw_file *f = fw_find((const char *)c + 4);
	u32 at_byte = dword(c + 60), start = dword(c + 64);
	u32 length = dword(c + 68);
	u8 s = 0;

	assert_true(f->base && at_byte < f->size);
	assert_true(start + length <= f->size);
	for (u32 i = 0; i < length; i++)
		s = (u8)(s + *fake_ram_at(f->base + start + i, 1));
	*fake_ram_at(f->base + at_byte, 1) = (u8)-s;
}

static void fw_run(const struct fw_file *script)
{
	assert_int_equal(script->size % 128, 0);
	for (u32 i = 0; i < script->size; i += 128) {
		const u8 *c = script->bytes + i;

		switch (dword(c)) {
		case 1:
			fw_allocate(c);
			break;
		case 2:
			fw_point(c);
			break;
		case 3:
			fw_sum(c);
			break;
		default:
			fail_msg("command %u", dword(c));
		}
	}
}

static void test_loader(void **state)
{
	static const char *const all[] = { "FACP", "APIC", "SSDT",
					   "MCFG", "HPET", "WAET" };
	const struct acpi_fadt *f;

	fw_count = 0;
	assert_int_equal(acpi_publish(&fake_vm), 0);
	assert_int_equal(fake_vm.acpi_rsdp, 0);
	assert_int_equal(*fake_ram_at(PC_BIOS_AREA, 1), 0xaa);
	assert_int_equal(fw_count, 3);
	fw_run(fw_find("etc/table-loader"));
	fake_vm.acpi_rsdp = fw_find("etc/acpi/rsdp")->base;
	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		assert_true(check_adds_up(find(all[i]), find(all[i])->length));
	f = (const void *)find("FACP");
	check_fadt(f);
	assert_true(
		check_adds_up(fake_ram_at(f->dsdt, DSDT_BYTES), DSDT_BYTES));
}

const char *firmware_name(const struct guest_config *c)
{
	return c->firmware[0] ? c->firmware : NULL;
}

/* What is set aside for a reset is enough for the tables, and not for much
 * more */
static void test_pages(void **state)
{
	fake_pool_peak = 0;
	assert_int_equal(acpi_build(&fake_vm), 0);
	assert_in_range(load_pages(&fake_config), fake_pool_peak + 1,
			4 * fake_pool_peak);
	memcpy(fake_config.firmware, "rom", 4);
	fake_pool_peak = fw_count = 0;
	assert_int_equal(acpi_publish(&fake_vm), 0);
	assert_in_range(load_pages(&fake_config), fake_pool_peak + 1,
			4 * fake_pool_peak);
}

static void test_no_room(void **state)
{
	fake_pool_left = 0;
	assert_int_equal(acpi_build(&fake_vm), -ENOMEM);
	fake_pool_left = ~0u;
	fake_vm.slots[0].size = 0x1000;
	assert_int_equal(acpi_build(&fake_vm), -EFAULT);
	assert_int_equal(fake_vm.acpi_rsdp, 0);
	fake_pool_left = 0;
	assert_int_equal(acpi_publish(&fake_vm), -ENOMEM);
	fake_pool_left = ~0u;
	fake_vm.privileged = true; /* owns nothing */
	assert_int_equal(acpi_rewrite(&fake_vm), -ENOMEM);
}

#define acpi_test(f) cmocka_unit_test_setup_teardown(f, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		acpi_test(test_isolated),
		acpi_test(test_isolated_madt),
		acpi_test(test_madt_for_kernels),
		acpi_test(test_roots),
		acpi_test(test_loader),
		acpi_test(test_pages),
		acpi_test(test_many_cpus),
		acpi_test(test_privileged_from_nothing),
		acpi_test(test_rewrite),
		acpi_test(test_rewrite_many),
		acpi_test(test_rewrite_has_a_dmar),
		acpi_test(test_rewrite_offers_the_log),
		acpi_test(test_log_stays_in_its_room),
		acpi_test(test_rewrite_1024_cpus),
		acpi_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
