/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of the PC that an isolated guest is, about what pc_map.h places. MCFG
 * tells of ECAM, HPET of that, WAET that the PM timer need not be read twice.
 * The SSDT has the processors as objects, to which the MADT's UIDs refer (ACPI
 * 6.4, 8.4). Called by acpi_build.c. No locks.
 */
#include "hv/load/acpi_tables.h"
#include "hv/load/dsdt_map.h"
#include "include/hw/hpet.h"
#include "lib/string.h"

static_assert(DSDT_ECAM_BASE == PC_ECAM_BASE, "DSDT: ECAM");
static_assert(DSDT_ECAM_BYTES == PC_ECAM_BYTES, "DSDT: ECAM");
static_assert(DSDT_BARS_BASE == PC_PCI_BARS, "DSDT: BARs");
static_assert(DSDT_BARS_LAST == PC_PCI_BARS_END - 1, "DSDT: BARs");
static_assert(DSDT_BARS_BYTES == PC_PCI_BARS_END - PC_PCI_BARS, "DSDT: BARs");
static_assert(DSDT_HPET_BASE == PC_HPET_BASE, "DSDT: HPET");
static_assert(DSDT_PM_BASE == PC_PM_BASE, "DSDT: PM block");
static_assert(DSDT_FWCFG == PC_FWCFG, "DSDT: fw_cfg");
static_assert(DSDT_SLP_TYP_S5 == PC_SLP_TYP_S5, "DSDT: S5");
static_assert(DSDT_PIRQ_A == PC_GSI_PIRQ_A, "DSDT: PIRQ");

/* The last of the buses that the guest is told of, though ECAM decodes 256. A
 * kernel looks for devices on each of them, with two exits for every device
 * that could be there. */
#define BUS_LAST DSDT_BUS_LAST
static_assert(BUS_LAST < PC_ECAM_BYTES / MIB(1), "buses in ECAM");
static_assert(DSDT_BUS_COUNT == BUS_LAST + 1, "DSDT: buses");

#define HPET_MIN_TICK 100

/* Scope (\_SB) { Device (Cnnn) { Name (_HID, "ACPI0007") Name (_UID, n) } }
 * (ACPI 6.4, 20.2.5) */
struct aml_cpu {
	u8 ext_op, device_op, length;
	char name[4];
	u8 hid_op;
	char hid[4];
	u8 hid_type;
	char hid_value[9];
	u8 uid_op;
	char uid[4];
	u8 uid_type;
	u32 uid_value;
} __packed;
static_assert(sizeof(struct aml_cpu) - 2 < 64, "a length of one byte");

struct aml_scope {
	u8 op;
	u8 length[AML_PKG_THREE_BYTES];
	char name[5];
} __packed;

struct ssdt {
	struct acpi_header header;
	struct aml_scope scope;
	struct aml_cpu cpus[];
} __packed;

static char hex_digit(u32 x)
{
	return "0123456789ABCDEF"[x & 0xf];
}

static struct aml_cpu make_cpu(u32 n)
{
	return (struct aml_cpu){
		.ext_op = AML_EXT_OP_PREFIX,
		.device_op = AML_DEVICE_OP,
		.length = sizeof(struct aml_cpu) -
			  offsetof(struct aml_cpu, length),
		.name = { 'C', hex_digit(n >> 8), hex_digit(n >> 4),
			  hex_digit(n) },
		.hid_op = AML_NAME_OP,
		.hid = { '_', 'H', 'I', 'D' },
		.hid_type = AML_STRING_PREFIX,
		.hid_value = "ACPI0007",
		.uid_op = AML_NAME_OP,
		.uid = { '_', 'U', 'I', 'D' },
		.uid_type = AML_DWORD_PREFIX,
		.uid_value = n,
	};
}

/* PkgLength counts itself: 4 bits, then two bytes (20.2.4) */
static struct aml_scope make_scope(u32 content)
{
	u32 length = content + (u32)sizeof(struct aml_scope) - 1;

	return (struct aml_scope){
		.op = AML_SCOPE_OP,
		.length = { (u8)(AML_PKG_THREE | (length & 0xf)),
			    (u8)(length >> 4), (u8)(length >> 12) },
		.name = { AML_ROOT_CHAR, '_', 'S', 'B', '_' },
	};
}

static void add_ssdt(struct acpi_writer *w)
{
	u32 count = w->vm->vcpu_count;
	u32 bytes = count * (u32)sizeof(struct aml_cpu);
	struct ssdt *s = acpi_writer_take(w, (u32)sizeof(*s) + bytes, 8);

	if (!s)
		return;
	s->scope = make_scope(bytes);
	for (u32 i = 0; i < count; i++)
		s->cpus[i] = make_cpu(i);
	acpi_writer_add(w, &s->header, "SSDT", 2, (u32)sizeof(*s) + bytes);
}

static void add_mcfg(struct acpi_writer *w)
{
	const u32 bytes = MCFG_ENTRIES_OFFSET + sizeof(struct mcfg_entry);
	struct acpi_header *h = acpi_writer_take(w, bytes, 8);
	const struct mcfg_entry entry = { .base = PC_ECAM_BASE,
					  .bus_last = BUS_LAST };

	if (!h)
		return;
	memcpy((u8 *)h + MCFG_ENTRIES_OFFSET, &entry, sizeof(entry));
	acpi_writer_add(w, h, "MCFG", 1, bytes);
}

static void add_hpet(struct acpi_writer *w)
{
	struct acpi_hpet *h = acpi_writer_take(w, sizeof(*h), 8);

	if (!h)
		return;
	h->id = (u32)HPET_CAP_VALUE;
	h->base = (struct acpi_gas_raw){ .space = ACPI_SPACE_MEMORY,
					 .bits = 64,
					 .address = PC_HPET_BASE };
	h->min_tick = HPET_MIN_TICK;
	acpi_writer_add(w, &h->header, "HPET", 1, sizeof(*h));
}

static void add_waet(struct acpi_writer *w)
{
	struct acpi_waet *t = acpi_writer_take(w, sizeof(*t), 8);

	if (!t)
		return;
	t->flags = WAET_PM_TIMER_GOOD;
	acpi_writer_add(w, &t->header, "WAET", 1, sizeof(*t));
}

void acpi_write_pc(struct acpi_writer *w)
{
	add_ssdt(w);
	add_mcfg(w);
	add_hpet(w);
	add_waet(w);
}
