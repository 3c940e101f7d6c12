/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What acpi_build.c and acpi_rewrite.c share: laying tables out in the guest's
 * ACPI area, checksums, RSDP and XSDT, and the MADT, which is the guest's own
 * in every case. The buffer is a pool block of the guest's budget, freed at the
 * end. No locks.
 */
#include "hv/load/acpi_tables.h"

#include "hv/gmem.h"
#include "hv/load/place.h"
#include "hv/vdev/vioapic.h"
#include "lib/errno.h"
#include "lib/string.h"

#define AREA_ORDER 2u /* ACPI_AREA_BYTES = 4 pages */
static_assert(ACPI_AREA_BYTES == PAGE_SIZE << AREA_ORDER, "area order");

#define TABLE_ALIGN 8u

static int find_area(struct vm *vm, u64 *gpa)
{
	const struct place_range within = { 0, GIB(4) };
	struct place p;

	if (!vm->privileged) {
		*gpa = ACPI_AREA_ISOLATED;
		return 0;
	}
	vm->acpi_rsdp = 0;
	place_init(&p, vm);
	return place_high(&p, ACPI_AREA_BYTES, PAGE_SIZE, &within, gpa);
}

int acpi_writer_init(struct acpi_writer *w, struct vm *vm)
{
	int err;

	memset(w, 0, sizeof(*w));
	w->vm = vm;
	err = find_area(vm, &w->gpa);
	if (err)
		return err;
	w->buf = pmm_alloc(&vm->budget, AREA_ORDER);
	if (!w->buf)
		return -ENOMEM;
	w->used = sizeof(struct acpi_rsdp);
	return 0;
}

void *acpi_writer_take(struct acpi_writer *w, u32 size, u32 align)
{
	u32 at = (u32)ALIGN_UP(w->used, align);

	if (at > ACPI_AREA_BYTES || size > ACPI_AREA_BYTES - at) {
		w->full = true;
		return NULL;
	}
	w->used = at + size;
	return w->buf + at;
}

u64 acpi_writer_gpa(const struct acpi_writer *w, const void *p)
{
	return w->gpa + (u64)((const u8 *)p - w->buf);
}

void acpi_writer_list(struct acpi_writer *w, u64 table_gpa)
{
	if (w->table_count == ARRAY_SIZE(w->tables))
		w->full = true;
	else
		w->tables[w->table_count++] = table_gpa;
}

static u8 sum(const void *p, u32 size)
{
	const u8 *b = p;
	u8 s = 0;

	for (u32 i = 0; i < size; i++)
		s = (u8)(s + b[i]);
	return s;
}

void acpi_header_init(struct acpi_header *h, const char *signature, u8 revision,
		      u32 length)
{
	memcpy(h->signature, signature, sizeof(h->signature));
	h->length = length;
	h->revision = revision;
	memcpy(h->oem_id, "BULKHD", sizeof(h->oem_id));
	memcpy(h->oem_table_id, "BULKHEAD", sizeof(h->oem_table_id));
	h->oem_revision = 1;
	memcpy(&h->creator_id, "BLKH", sizeof(h->creator_id));
	h->creator_revision = 1;
}

void acpi_header_sum(struct acpi_header *h)
{
	h->checksum = 0;
	h->checksum = (u8)-sum(h, h->length);
}

/* The ACPI processor UID of a vCPU: the host's own where its DSDT names them */
static u32 vcpu_uid(const struct vm *vm, u32 id)
{
	if (vm->privileged && id < acpi.cpu_count)
		return acpi.cpu_acpi_uids[id];
	return id;
}

/* The UID must fit too: a type 0 entry has a byte for it */
static bool needs_x2apic(u32 id, u32 uid)
{
	return id > MADT_MAX_LAPIC_ID || uid >= MADT_ALL_CPUS;
}

static void add_cpu(struct acpi_writer *w, u32 id, u32 uid)
{
	if (needs_x2apic(id, uid)) {
		struct madt_x2apic *x = acpi_writer_take(w, sizeof(*x), 1);

		if (x)
			*x = (struct madt_x2apic){ .entry = { MADT_X2APIC,
							      sizeof(*x) },
						   .apic_id = id,
						   .flags = MADT_CPU_ENABLED,
						   .uid = uid };
	} else {
		struct madt_lapic *l = acpi_writer_take(w, sizeof(*l), 1);

		if (l)
			*l = (struct madt_lapic){ .entry = { MADT_LAPIC,
							     sizeof(*l) },
						  .uid = (u8)uid,
						  .apic_id = (u8)id,
						  .flags = MADT_CPU_ENABLED };
	}
}

static void add_ioapic(struct acpi_writer *w, u32 id, u64 base, u32 gsi_base)
{
	struct madt_ioapic *io = acpi_writer_take(w, sizeof(*io), 1);

	if (io)
		*io = (struct madt_ioapic){ .entry = { MADT_IOAPIC,
						       sizeof(*io) },
					    .id = (u8)id,
					    .base = (u32)base,
					    .gsi_base = gsi_base };
}

static void add_override(struct acpi_writer *w, u8 isa_irq, u32 gsi, u16 flags)
{
	struct madt_override *o = acpi_writer_take(w, sizeof(*o), 1);

	if (o)
		*o = (struct madt_override){ .entry = { MADT_OVERRIDE,
							sizeof(*o) },
					     .irq = isa_irq,
					     .gsi = gsi,
					     .flags = flags };
}

/* NMI on LINT1 of every CPU, as a PC has it */
static void add_nmi(struct acpi_writer *w)
{
	struct madt_lapic_nmi *n = acpi_writer_take(w, sizeof(*n), 1);

	if (n)
		*n = (struct madt_lapic_nmi){ .entry = { MADT_LAPIC_NMI,
							 sizeof(*n) },
					      .uid = MADT_ALL_CPUS,
					      .lint = 1 };
}

static void add_controllers(struct acpi_writer *w)
{
	if (!w->vm->privileged || !acpi.ioapic_count)
		add_ioapic(w, 0, VIOAPIC_BASE, 0);
	if (!w->vm->privileged)
		return;
	for (u32 i = 0; i < acpi.ioapic_count; i++)
		add_ioapic(w, acpi.ioapics[i].id, acpi.ioapics[i].base,
			   acpi.ioapics[i].gsi_base);
	for (u32 i = 0; i < acpi.override_count; i++)
		add_override(w, acpi.overrides[i].isa_irq,
			     acpi.overrides[i].gsi, acpi.overrides[i].flags);
}

void acpi_write_madt(struct acpi_writer *w)
{
	struct acpi_madt *m = acpi_writer_take(w, sizeof(*m), TABLE_ALIGN);

	if (!m)
		return;
	m->lapic_base = LAPIC_BASE;
	m->flags = w->vm->privileged ? MADT_PCAT_COMPAT : 0;
	for (u32 i = 0; i < w->vm->vcpu_count; i++)
		add_cpu(w, w->vm->vcpus[i]->id, vcpu_uid(w->vm, i));
	add_controllers(w);
	add_nmi(w);
	acpi_header_init(&m->header, "APIC", MADT_REVISION,
			 (u32)(w->buf + w->used - (u8 *)m));
	acpi_header_sum(&m->header);
	acpi_writer_list(w, acpi_writer_gpa(w, m));
}

static void write_xsdt(struct acpi_writer *w)
{
	u32 bytes = w->table_count * (u32)sizeof(u64);
	struct acpi_rsdp *r = (void *)w->buf;
	struct acpi_header *h =
		acpi_writer_take(w, (u32)sizeof(*h) + bytes, TABLE_ALIGN);

	if (!h)
		return;
	memcpy(h + 1, w->tables, bytes);
	acpi_header_init(h, "XSDT", 1, (u32)sizeof(*h) + bytes);
	acpi_header_sum(h);
	memcpy(r->signature, "RSD PTR ", sizeof(r->signature));
	memcpy(r->oem_id, "BULKHD", sizeof(r->oem_id));
	r->revision = 2;
	r->length = sizeof(*r);
	r->xsdt = acpi_writer_gpa(w, h);
	r->checksum = (u8)-sum(r, ACPI_RSDP_V1_BYTES);
	r->extended_checksum = (u8)-sum(r, sizeof(*r));
}

int acpi_writer_finish(struct acpi_writer *w, int err)
{
	write_xsdt(w);
	if (!err && w->full)
		err = -ENOSPC;
	if (!err)
		err = gmem_write(w->vm, GPA(w->gpa), w->buf, ACPI_AREA_BYTES);
	w->vm->acpi_rsdp = err ? 0 : w->gpa;
	pmm_free(&w->vm->budget, w->buf, AREA_ORDER);
	return err;
}
