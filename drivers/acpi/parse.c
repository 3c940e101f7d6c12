/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsers of single ACPI tables, see parse.h. Called by acpi.c at boot.
 * Tables come from the firmware: every offset is checked against the table's
 * length before it is read, and fields are copied out, never used in place.
 * No lock.
 */
#include "drivers/acpi/parse.h"

#include "include/hw/lapic.h"
#include "lib/log.h"
#include "lib/string.h"

#define PORT_MAX    0xffffu
#define SLP_TYP_MAX 7u /* three bits in PM1 control */

static const struct {
	const char *what, *without;
	u32 max;
} lists[] = {
	[LIST_TABLES] = { "tables", "guests do not see the others",
			  ACPI_MAX_TABLES },
	[LIST_CPUS] = { "cores", "the others are left out", ACPI_MAX_CPUS },
	[LIST_IOAPICS] = { "IOAPICs", "interrupts of the others do not arrive",
			   ACPI_MAX_IOAPICS },
	[LIST_OVERRIDES] = { "interrupt overrides", "the others are left out",
			     ACPI_MAX_OVERRIDES },
	[LIST_ECAM] = { "MCFG ranges", "the others are not trapped",
			ACPI_MAX_ECAM },
	[LIST_HPETS] = { "HPETs", "the privileged guest may reach the others",
			 ACPI_MAX_HPETS },
	[LIST_IOMMUS] = { "IOMMUs", "the others cannot be turned off",
			  ACPI_MAX_IOMMUS },
	[LIST_IDLE_PORTS] = { "ports of sleep states",
			      "the others are not trapped",
			      ACPI_MAX_IDLE_PORTS },
	[LIST_SERIALS] = { "UARTs", "the others are not tried",
			   ACPI_MAX_SERIALS },
	[LIST_NODES] = { "NUMA nodes", "what is in the others is in none",
			 ACPI_MAX_NODES },
	[LIST_NODE_CPUS] = { "cores in NUMA nodes", "the others are in none",
			     ACPI_MAX_CPUS },
	[LIST_NODE_RANGES] = { "memory ranges of NUMA nodes",
			       "the others are in none", ACPI_MAX_RANGES },
	[LIST_INITIATORS] = { "initiators in NUMA nodes",
			      "guests do not see the others",
			      ACPI_MAX_INITIATORS },
};

bool acpi_list_full(struct acpi_facts *f, enum acpi_list list, u32 count)
{
	if (count < lists[list].max)
		return false;
	if (!(f->full & 1u << list))
		log_warn("acpi", "the firmware names more than %u %s: %s",
			 lists[list].max, lists[list].what,
			 lists[list].without);
	f->full |= 1u << list;
	return true;
}

/* Some firmware lists a core both as LAPIC and as x2APIC */
static bool cpu_known(const struct acpi_facts *f, u32 apic_id)
{
	for (u32 i = 0; i < f->cpu_count; i++)
		if (f->cpu_apic_ids[i] == apic_id)
			return true;
	return false;
}

static void cpu_add(struct acpi_facts *f, u32 apic_id, u32 uid, u32 flags)
{
	if (!(flags & MADT_CPU_ENABLED))
		return;
	/* Full first: a long table does not cost a search for each entry */
	if (acpi_list_full(f, LIST_CPUS, f->cpu_count) || cpu_known(f, apic_id))
		return;
	f->cpu_apic_ids[f->cpu_count] = apic_id;
	f->cpu_acpi_uids[f->cpu_count] = uid;
	f->cpu_count++;
}

static void madt_lapic(struct acpi_facts *f, const void *p)
{
	struct madt_lapic e;

	memcpy(&e, p, sizeof(e));
	if (e.apic_id != XAPIC_BROADCAST)
		cpu_add(f, e.apic_id, e.uid, e.flags);
}

static void madt_x2apic(struct acpi_facts *f, const void *p)
{
	struct madt_x2apic e;

	memcpy(&e, p, sizeof(e));
	if (e.apic_id != ~0u)
		cpu_add(f, e.apic_id, e.uid, e.flags);
}

static bool ioapic_known(const struct acpi_facts *f, u64 base)
{
	for (u32 i = 0; i < f->ioapic_count; i++)
		if (f->ioapics[i].base == base)
			return true;
	return false;
}

static void madt_ioapic(struct acpi_facts *f, const void *p)
{
	struct madt_ioapic e;

	memcpy(&e, p, sizeof(e));
	if (!e.base || ioapic_known(f, e.base) ||
	    acpi_list_full(f, LIST_IOAPICS, f->ioapic_count))
		return;
	f->ioapics[f->ioapic_count++] = (struct acpi_ioapic){
		.id = e.id, .base = e.base, .gsi_base = e.gsi_base
	};
}

/* The first override of an interrupt counts */
static bool override_known(const struct acpi_facts *f, u8 isa_irq)
{
	for (u32 i = 0; i < f->override_count; i++)
		if (f->overrides[i].isa_irq == isa_irq)
			return true;
	return false;
}

static void madt_override(struct acpi_facts *f, const void *p)
{
	struct madt_override e;

	memcpy(&e, p, sizeof(e));
	if (override_known(f, e.irq) ||
	    acpi_list_full(f, LIST_OVERRIDES, f->override_count))
		return;
	f->overrides[f->override_count++] = (struct acpi_override){
		.isa_irq = e.irq, .gsi = e.gsi, .flags = e.flags
	};
}

static void madt_lapic_address(struct acpi_facts *f, const void *p)
{
	struct madt_lapic_address e;

	memcpy(&e, p, sizeof(e));
	f->lapic_base = e.base;
}

/* By MADT entry type; types that are not here are skipped */
static const struct {
	u8 bytes;
	void (*parse)(struct acpi_facts *f, const void *p);
} madt_rows[MADT_TYPES] = {
	[MADT_LAPIC] = { sizeof(struct madt_lapic), madt_lapic },
	[MADT_IOAPIC] = { sizeof(struct madt_ioapic), madt_ioapic },
	[MADT_OVERRIDE] = { sizeof(struct madt_override), madt_override },
	[MADT_LAPIC_ADDRESS] = { sizeof(struct madt_lapic_address),
				 madt_lapic_address },
	[MADT_X2APIC] = { sizeof(struct madt_x2apic), madt_x2apic },
};

void acpi_parse_madt(struct acpi_facts *f, const struct acpi_header *t)
{
	const u8 *p = (const u8 *)t;
	u32 at = sizeof(struct acpi_madt);
	struct acpi_madt madt;

	if (t->length < sizeof(madt))
		return;
	memcpy(&madt, t, sizeof(madt));
	f->lapic_base = madt.lapic_base ? madt.lapic_base : APIC_DEFAULT_BASE;
	while (t->length - at >= sizeof(struct madt_entry)) {
		u8 type = p[at], length = p[at + 1];

		if (length < sizeof(struct madt_entry) ||
		    length > t->length - at) {
			log_warn("acpi",
				 "the MADT is cut at byte %u: what "
				 "comes after is not read",
				 at);
			return;
		}
		if (type < MADT_TYPES && madt_rows[type].parse &&
		    length >= madt_rows[type].bytes)
			madt_rows[type].parse(f, p + at);
		at += length;
	}
}

/* A port from the 64-bit field if it holds one, else from the 32-bit field */
static u16 fadt_port(const struct acpi_gas_raw *x, u32 legacy)
{
	if (x->address && x->space == ACPI_SPACE_IO && x->address <= PORT_MAX)
		return (u16)x->address;
	return legacy <= PORT_MAX ? (u16)legacy : 0;
}

static void fadt_reset(struct acpi_facts *f, const struct acpi_fadt *fadt)
{
	const struct acpi_gas_raw *r = &fadt->reset_reg;

	if (!(fadt->flags & FADT_RESET_REG_SUP) || !r->address)
		return;
	if (r->space > ACPI_SPACE_PCI ||
	    (r->space == ACPI_SPACE_IO && r->address > PORT_MAX))
		return;
	f->has_reset = true;
	f->reset_value = fadt->reset_value;
	f->reset = (struct acpi_gas){ .space = r->space,
				      .bits = r->bits,
				      .offset = r->offset,
				      .access = r->access,
				      .address = r->address };
}

void acpi_parse_fadt(struct acpi_facts *f, const struct acpi_header *t,
		     u64 *dsdt, u64 *facs)
{
	struct acpi_fadt fadt;

	/* Fields past the end of an older table are zero: absent */
	memset(&fadt, 0, sizeof(fadt));
	memcpy(&fadt, t, MIN(t->length, (u32)sizeof(fadt)));
	f->pm1a_evt = fadt_port(&fadt.x_pm1a_evt, fadt.pm1a_evt_blk);
	f->pm1a_cnt = fadt_port(&fadt.x_pm1a_cnt, fadt.pm1a_cnt_blk);
	f->pm1b_cnt = fadt_port(&fadt.x_pm1b_cnt, fadt.pm1b_cnt_blk);
	f->pm_timer = fadt_port(&fadt.x_pm_tmr, fadt.pm_tmr_blk);
	f->sci_gsi = fadt.sci_int;
	f->smi_cmd = fadt.smi_cmd <= PORT_MAX ? (u16)fadt.smi_cmd : 0;
	f->acpi_enable = fadt.acpi_enable;
	f->has_lvl2 = fadt.p_lvl2_lat < FADT_LATENCY_NO_C2;
	f->has_lvl3 = fadt.p_lvl3_lat < FADT_LATENCY_NO_C3;
	fadt_reset(f, &fadt);
	*dsdt = fadt.x_dsdt ? fadt.x_dsdt : fadt.dsdt;
	*facs = fadt.x_facs ? fadt.x_facs : fadt.facs;
}

static bool hpet_known(const struct acpi_facts *f, u64 base)
{
	for (u32 i = 0; i < f->hpet_count; i++)
		if (f->hpets[i] == base)
			return true;
	return false;
}

void acpi_parse_hpet(struct acpi_facts *f, const struct acpi_header *t)
{
	struct acpi_hpet hpet;

	if (t->length < sizeof(hpet))
		return;
	memcpy(&hpet, t, sizeof(hpet));
	if (hpet.base.space != ACPI_SPACE_MEMORY || !hpet.base.address ||
	    hpet_known(f, hpet.base.address) ||
	    acpi_list_full(f, LIST_HPETS, f->hpet_count))
		return;
	f->hpets[f->hpet_count++] = hpet.base.address;
}

/* A place in AML that never runs past its end */
struct aml {
	const u8 *p;
	u32 left;
};

static bool aml_byte(struct aml *a, u8 *byte)
{
	if (!a->left)
		return false;
	*byte = *a->p++;
	a->left--;
	return true;
}

/* PkgLength: bits 7:6 of the first byte say how many follow (20.2.4) */
static bool aml_skip_pkg_length(struct aml *a)
{
	u8 lead, more;

	if (!aml_byte(a, &lead))
		return false;
	for (u32 n = lead >> 6; n; n--)
		if (!aml_byte(a, &more))
			return false;
	return true;
}

/* A small integer as sleep types are written: ZeroOp, OneOp or a byte */
static bool aml_sleep_type(struct aml *a, u8 *value)
{
	if (!aml_byte(a, value))
		return false;
	if (*value == AML_ZERO_OP || *value == AML_ONE_OP)
		return true;
	return *value == AML_BYTE_PREFIX && aml_byte(a, value) &&
	       *value <= SLP_TYP_MAX;
}

/* What follows the name: Package (n) { typ_a, typ_b, ... } */
static bool aml_s5_package(struct aml a, u8 *typ_a, u8 *typ_b)
{
	u8 byte, count;

	if (!aml_byte(&a, &byte) || byte != AML_PACKAGE_OP)
		return false;
	if (!aml_skip_pkg_length(&a) || !aml_byte(&a, &count) || !count)
		return false;
	if (!aml_sleep_type(&a, typ_a))
		return false;
	/* With one element it stands for both */
	*typ_b = *typ_a;
	return count == 1 || aml_sleep_type(&a, typ_b);
}

/* Is it Name (_S5, ...) or Name (\_S5, ...), and not some mention of it? */
static bool aml_is_name(const u8 *aml, u32 at)
{
	if (at >= 1 && aml[at - 1] == AML_NAME_OP)
		return true;
	return at >= 2 && aml[at - 1] == AML_ROOT_CHAR &&
	       aml[at - 2] == AML_NAME_OP;
}

void acpi_parse_s5(struct acpi_facts *f, const struct acpi_header *t)
{
	const u8 *aml = (const u8 *)t + sizeof(*t);
	u32 bytes = t->length - (u32)sizeof(*t);

	for (u32 at = 0; !f->has_s5 && at + 4 <= bytes; at++) {
		struct aml rest = { aml + at + 4, bytes - at - 4 };

		if (memcmp(aml + at, "_S5_", 4) || !aml_is_name(aml, at))
			continue;
		f->has_s5 = aml_s5_package(rest, &f->s5_typ_a, &f->s5_typ_b);
	}
}

void acpi_boot_cpu_first(struct acpi_facts *f, u32 apic_id)
{
	for (u32 i = 1; i < f->cpu_count; i++) {
		u32 uid = f->cpu_acpi_uids[i];

		if (f->cpu_apic_ids[i] != apic_id)
			continue;
		/* The others keep their order */
		for (u32 j = i; j > 0; j--) {
			f->cpu_apic_ids[j] = f->cpu_apic_ids[j - 1];
			f->cpu_acpi_uids[j] = f->cpu_acpi_uids[j - 1];
		}
		f->cpu_apic_ids[0] = apic_id;
		f->cpu_acpi_uids[0] = uid;
		return;
	}
}
