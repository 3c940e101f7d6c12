/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware's ACPI tables, see acpi.h: finds them, checks each and hands it
 * to its parser (parse.c). Called once at boot. A table that cannot be read is
 * named, with what follows from it, and left out. One with a wrong checksum is
 * named and used: firmware changes tables after it has summed them up, and
 * Linux uses them. Only an XSDT is not, where there is an RSDT. No lock: acpi
 * is constant afterwards.
 */
#include "drivers/acpi/acpi.h"

#include "arch/x86/cpu/asm.h"
#include "check/facts.h"
#include "drivers/acpi/parse.h"
#include "include/hw/acpi.h"
#include "include/hw/cpuid.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/hostmap.h"

#define TABLE_BYTES_MAX ((u32)MIB(16))
#define ROOT_BYTES_MAX  ((u32)KIB(64))
#define FACS_BYTES_MIN  64u

struct acpi_facts acpi;

/* What we go on without when a table is broken */
static const struct {
	char signature[5];
	const char *without;
} consequences[] = {
	{ "APIC", "cores come from the loader's list and the IOAPIC from its "
		  "usual address" },
	{ "FACP", "power-off and reset by ACPI will not work" },
	{ "DSDT", "power-off by ACPI will not work" },
	{ "MCFG", "PCI configuration goes through ports CF8h and CFCh" },
	{ "HPET", "the privileged guest may reach the HPET it describes" },
	{ "DMAR", "the IOMMUs it describes cannot be turned off" },
	{ "IVRS", "the IOMMUs it describes cannot be turned off" },
	{ "SRAT", "guests are placed as if the machine had one NUMA node" },
	{ "SPCR", "the console is not where it says" },
	{ "DBG2", "the console is not where it says" },
	{ "HEST", "errors that the firmware looks after are taken from it" },
	{ "XSDT", "the RSDT is used instead" },
	{ "RSDT", "the machine is run as if it had no ACPI tables" },
};

/* What log lines may show: firmware's bytes are not always text */
static void signature_text(char text[5], const char *raw)
{
	for (u32 i = 0; i < 4; i++)
		text[i] = raw[i] >= ' ' && raw[i] <= '~' ? raw[i] : '?';
	text[4] = '\0';
}

static void report_broken(const char *signature, u64 hpa, const char *what)
{
	const char *without = "it is left out";
	char name[5];

	signature_text(name, signature);
	for (u32 i = 0; i < ARRAY_SIZE(consequences); i++)
		if (!memcmp(signature, consequences[i].signature, 4))
			without = consequences[i].without;
	if (!memcmp(signature, "DMAR", 4))
		acpi.iommu_unread = "DMAR";
	if (!memcmp(signature, "IVRS", 4))
		acpi.iommu_unread = "IVRS";
	if (!check_is_signature(signature))
		acpi.table_unread = true;
	log_warn("acpi",
		 "table %s at %#llx is broken (%s): %s; a firmware update may "
		 "cure it",
		 name, hpa, what, without);
}

static void report_sum(const char *signature, u64 hpa)
{
	char name[5];

	signature_text(name, signature);
	log_warn("acpi",
		 "table %s at %#llx has a wrong checksum and is used all the "
		 "same; a firmware update may cure it",
		 name, hpa);
}

/* The FACS has none */
static bool checksum_wrong(const struct acpi_header *t, u32 length)
{
	return memcmp(t->signature, "FACS", 4) && !check_adds_up(t, length);
}

/* What a wrong checksum means */
enum sum_use { SUM_REFUSED, SUM_TOLD };

/* Map the whole table at @hpa, checked; NULL: none, and a sentence was logged.
 * @expect: the signature it must have, or NULL. */
static const struct acpi_header *table_map(u64 hpa, const char *expect, u32 max,
					   enum sum_use use)
{
	const struct acpi_header *t = early_map(HPA(hpa), sizeof(*t));
	const char *what = NULL;
	char name[4] = "";
	u32 length;

	if (!t) {
		report_broken(expect ? expect : name, hpa, "no such address");
		return NULL;
	}
	memcpy(name, t->signature, sizeof(name));
	length = t->length;
	early_unmap((void *)(uintptr_t)t, sizeof(*t));
	if (expect && memcmp(name, expect, 4))
		what = "wrong signature";
	else if (length < sizeof(*t) || length > max)
		what = "impossible length";
	t = what ? NULL : early_map(HPA(hpa), length);
	if (!what && !t)
		what = "no such address";
	if (!what && checksum_wrong(t, length)) {
		if (use == SUM_TOLD)
			report_sum(name, hpa);
		else
			what = "wrong checksum";
	}
	if (what) {
		if (t)
			early_unmap((void *)(uintptr_t)t, length);
		report_broken(expect ? expect : name, hpa, what);
		return NULL;
	}
	return t;
}

static void table_unmap(const struct acpi_header *t)
{
	early_unmap((void *)(uintptr_t)t, t->length);
}

static bool table_is(const struct acpi_header *t, const char *signature)
{
	return !memcmp(t->signature, signature, 4);
}

static void table_record(const struct acpi_header *t, u64 hpa)
{
	struct acpi_table *row = &acpi.tables[acpi.table_count];

	if (acpi_list_full(&acpi, LIST_TABLES, acpi.table_count))
		return;
	signature_text(row->signature, t->signature);
	row->hpa = hpa;
	row->length = t->length;
	acpi.table_count++;
}

static bool table_known(const char *signature)
{
	for (u32 i = 0; i < acpi.table_count; i++)
		if (!memcmp(acpi.tables[i].signature, signature, 4))
			return true;
	return false;
}

/* Some firmware lists a table twice */
static bool address_known(u64 hpa)
{
	for (u32 i = 0; i < acpi.table_count; i++)
		if (acpi.tables[i].hpa == hpa)
			return true;
	return false;
}

static void dsdt_load(u64 hpa)
{
	const struct acpi_header *t;

	if (!hpa)
		return;
	t = table_map(hpa, "DSDT", TABLE_BYTES_MAX, SUM_TOLD);
	if (!t)
		return;
	table_record(t, hpa);
	acpi_parse_s5(&acpi, t);
	acpi_parse_idle(&acpi, t);
	table_unmap(t);
}

static void facs_load(u64 hpa)
{
	const struct acpi_header *t;

	if (!hpa)
		return;
	t = table_map(hpa, "FACS", PAGE_SIZE, SUM_TOLD);
	if (!t)
		return;
	if (t->length >= FACS_BYTES_MIN)
		table_record(t, hpa);
	table_unmap(t);
}

static void ssdt_parse(const struct acpi_header *t)
{
	acpi_parse_s5(&acpi, t);
	acpi_parse_idle(&acpi, t);
}

static bool copy_out(void *to, u64 hpa, u32 bytes)
{
	const void *p = early_map(HPA(hpa), bytes);

	if (!p)
		return false;
	memcpy(to, p, bytes);
	early_unmap((void *)(uintptr_t)p, bytes);
	return true;
}

/* Of what there is no room for in the list, only IOMMUs are looked for: what
 * has another name is not read */
static void unlisted_load(u64 hpa)
{
	const struct acpi_header *t;
	char signature[4];

	if (copy_out(signature, hpa, sizeof(signature)) &&
	    check_is_signature(signature) && memcmp(signature, "DMAR", 4) &&
	    memcmp(signature, "IVRS", 4))
		return;
	t = table_map(hpa, NULL, TABLE_BYTES_MAX, SUM_TOLD);
	if (!t)
		return;
	acpi_parse_iommus(&acpi, t);
	table_unmap(t);
}

/* The table is unmapped before those it points to are mapped */
static void table_load(u64 hpa)
{
	const struct acpi_header *t;
	u64 dsdt = 0, facs = 0;

	if (address_known(hpa))
		return;
	t = table_map(hpa, NULL, TABLE_BYTES_MAX, SUM_TOLD);
	if (!t)
		return;
	if (table_is(t, "FACP") && !table_known("FACP"))
		acpi_parse_fadt(&acpi, t, &dsdt, &facs);
	else if (table_is(t, "APIC") && !table_known("APIC"))
		acpi_parse_madt(&acpi, t);
	else if (table_is(t, "MCFG") && !table_known("MCFG"))
		acpi_parse_mcfg(&acpi, t);
	else if (table_is(t, "HPET"))
		acpi_parse_hpet(&acpi, t);
	else if (table_is(t, "SPCR") && !table_known("SPCR"))
		acpi_parse_spcr(&acpi, t);
	else if (table_is(t, "DBG2") && !table_known("DBG2"))
		acpi_parse_dbg2(&acpi, t);
	else if (table_is(t, "SRAT") && !table_known("SRAT"))
		acpi_parse_srat(&acpi, t);
	else if (table_is(t, "SLIT") && !table_known("SLIT"))
		acpi_parse_slit(&acpi, t);
	else if (table_is(t, "HEST") && !table_known("HEST"))
		acpi_parse_hest(&acpi, t);
	else if (table_is(t, "SSDT"))
		ssdt_parse(t);
	/* Of all such tables: each IOMMU is to be turned off */
	acpi_parse_iommus(&acpi, t);
	table_record(t, hpa);
	table_unmap(t);
	dsdt_load(dsdt);
	facs_load(facs);
}

/* All tables an RSDT (4-byte entries) or XSDT (8) points to */
static bool root_load(u64 hpa, const char *signature, u32 entry_bytes,
		      enum sum_use use)
{
	const struct acpi_header *root;
	const u8 *entries;
	u32 count;

	if (!hpa)
		return false;
	root = table_map(hpa, signature, ROOT_BYTES_MAX, use);
	if (!root)
		return false;
	entries = (const u8 *)(root + 1);
	count = (root->length - (u32)sizeof(*root)) / entry_bytes;
	for (u32 i = 0; i < count; i++) {
		u64 entry = 0;

		memcpy(&entry, entries + i * entry_bytes, entry_bytes);
		if (entry && acpi.full & 1u << LIST_TABLES)
			unlisted_load(entry);
		else if (entry)
			table_load(entry);
	}
	table_unmap(root);
	return true;
}

static bool roots_load(const struct acpi_rsdp *rsdp)
{
	enum sum_use use = rsdp->rsdt ? SUM_REFUSED : SUM_TOLD;

	return root_load(rsdp->xsdt, "XSDT", sizeof(u64), use) ||
	       root_load(rsdp->rsdt, "RSDT", sizeof(u32), SUM_TOLD);
}

/* Copies the RSDP out. A second half that is out of reach is zero: broken. */
static enum check_rsdp rsdp_read(u64 hpa, struct acpi_rsdp *rsdp)
{
	memset(rsdp, 0, sizeof(*rsdp));
	if (!copy_out(rsdp, hpa, ACPI_RSDP_V1_BYTES))
		return CHECK_RSDP_NONE;
	if (rsdp->revision >= ACPI_RSDP_REV_XSDT)
		(void)copy_out(rsdp, hpa, ACPI_RSDP_V2_BYTES);
	return check_rsdp(rsdp);
}

u32 acpi_isa_gsi(u8 isa_irq)
{
	for (u32 i = 0; i < acpi.override_count; i++)
		if (acpi.overrides[i].isa_irq == isa_irq)
			return acpi.overrides[i].gsi;
	return isa_irq;
}

static u32 boot_apic_id(void)
{
	if (cpuid(CPUID_VENDOR).eax >= CPUID_TOPOLOGY) {
		struct cpuid topology = cpuid_count(CPUID_TOPOLOGY, 0);

		if (topology.ebx)
			return topology.edx;
	}
	return cpuid(CPUID_FEATURES).ebx >> CPUID_1_EBX_APIC_ID_SHIFT;
}

void acpi_init(const struct boot_info *bi)
{
	struct acpi_rsdp rsdp;
	enum check_rsdp state;

	memset(&acpi, 0, sizeof(acpi));
	if (!bi->rsdp) {
		log_info("acpi", "the firmware has no ACPI tables");
		return;
	}
	state = rsdp_read(bi->rsdp, &rsdp);
	if (state == CHECK_RSDP_NONE) {
		log_warn("acpi",
			 "the RSDP at %#llx is broken: the machine is "
			 "run as if it had no ACPI tables; a firmware "
			 "update may cure it",
			 bi->rsdp);
		acpi.table_unread = true;
		return;
	}
	if (state == CHECK_RSDP_HALF)
		log_warn("acpi",
			 "the RSDP at %#llx has a broken second half: the RSDT "
			 "is used instead of the XSDT",
			 bi->rsdp);
	acpi.present = roots_load(&rsdp);
	if (!acpi.present)
		acpi.table_unread = true;
	acpi_boot_cpu_first(&acpi, boot_apic_id());
	log_info("acpi", "%u tables, %u core%s, %u IOAPIC%s%s",
		 acpi.table_count, acpi.cpu_count,
		 acpi.cpu_count == 1 ? "" : "s", acpi.ioapic_count,
		 acpi.ioapic_count == 1 ? "" : "s",
		 acpi.has_s5 ? "" : ", no power-off by ACPI");
	if (acpi.numa.node_count > 1)
		log_info("acpi", "%u NUMA nodes", acpi.numa.node_count);
}
