/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What acpi_build.c and acpi_rewrite.c share: laying tables out in the guest's
 * ACPI area or for its firmware, checksums, RSDP, RSDT and XSDT. The buffer is
 * a pool block of the guest's budget, freed at the end. No locks.
 */
#include "hv/core/gmem.h"
#include "hv/load/acpi_tables.h"
#include "hv/load/place.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/string.h"

#define TABLE_ALIGN 8u
static_assert(sizeof(struct acpi_rsdp) <= ACPI_TABLES_AT, "RSDP");

static int find_area(struct acpi_writer *w)
{
	const struct place_range within = { 0, GIB(4) };
	struct place p;

	if (w->target == ACPI_IN_FILES) {
		w->gpa = 0ull - ACPI_TABLES_AT;
		return 0;
	}
	if (!w->vm->privileged) {
		w->gpa = ACPI_AREA_ISOLATED;
		return 0;
	}
	w->vm->acpi_rsdp = 0;
	place_init(&p, w->vm);
	return place_high(&p, w->bytes, PAGE_SIZE, &within, &w->gpa);
}

int acpi_writer_init(struct acpi_writer *w, struct vm *vm,
		     enum acpi_target target)
{
	int err;

	memset(w, 0, sizeof(*w));
	w->vm = vm;
	w->target = target;
	w->bytes = acpi_area_bytes(vm);
	err = find_area(w);
	if (err)
		return err;
	w->buf = pmm_alloc_bytes(&vm->budget, w->bytes);
	if (!w->buf)
		return -ENOMEM;
	w->used = ACPI_TABLES_AT;
	return 0;
}

void *acpi_writer_take(struct acpi_writer *w, u32 size, u32 align)
{
	u32 at = (u32)ALIGN_UP(w->used, align);

	if (at > w->bytes || size > w->bytes - at) {
		w->full = true;
		return NULL;
	}
	w->used = at + size;
	return w->buf + at;
}

/* Of something taken; ACPI_IN_FILES: its offset among the tables */
static u64 gpa_of(const struct acpi_writer *w, const void *p)
{
	return w->gpa + (u64)((const u8 *)p - w->buf);
}

void acpi_writer_point(struct acpi_writer *w, void *field, u8 size,
		       const void *target)
{
	u64 gpa = gpa_of(w, target);

	memcpy(field, &gpa, size);
	if (w->pointer_count == ARRAY_SIZE(w->pointers))
		w->full = true;
	else
		w->pointers[w->pointer_count++] =
			(struct acpi_pointer){ (u32)((u8 *)field - w->buf),
					       size };
}

void acpi_writer_list(struct acpi_writer *w, u64 table_gpa)
{
	if (w->table_count == ARRAY_SIZE(w->tables))
		w->full = true;
	else
		w->tables[w->table_count++] = table_gpa;
}

void acpi_writer_sum(struct acpi_writer *w, void *start, u32 length, u8 *at)
{
	*at = 0;
	*at = (u8)-sum_of_bytes(start, length);
	if (w->sum_count == ARRAY_SIZE(w->sums))
		w->full = true;
	else
		w->sums[w->sum_count++] =
			(struct acpi_sum){ (u32)((u8 *)start - w->buf), length,
					   (u32)(at - w->buf) };
}

static void header_init(struct acpi_header *h, const char *signature,
			u8 revision, u32 length)
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

void acpi_header_sum(struct acpi_writer *w, struct acpi_header *h)
{
	acpi_writer_sum(w, h, h->length, &h->checksum);
}

void acpi_writer_add(struct acpi_writer *w, struct acpi_header *h,
		     const char *signature, u8 revision, u32 length)
{
	header_init(h, signature, revision, length);
	acpi_header_sum(w, h);
	acpi_writer_list(w, gpa_of(w, h));
}

/* A table of pointers to the others, @size bytes each. A rewritten one also
 * names tables of the firmware's, which no loader moves. */
static struct acpi_header *write_root(struct acpi_writer *w,
				      const char *signature, u8 size)
{
	u32 bytes = (u32)sizeof(struct acpi_header) + w->table_count * size;
	struct acpi_header *h = acpi_writer_take(w, bytes, TABLE_ALIGN);
	u8 *entry;

	if (!h)
		return NULL;
	entry = (u8 *)(h + 1);
	for (u32 i = 0; i < w->table_count; i++, entry += size) {
		if (w->target == ACPI_IN_FILES)
			acpi_writer_point(w, entry, size,
					  w->buf + (w->tables[i] - w->gpa));
		else
			memcpy(entry, &w->tables[i], size);
	}
	header_init(h, signature, 1, bytes);
	acpi_header_sum(w, h);
	return h;
}

static bool below_4g(const struct acpi_writer *w)
{
	for (u32 i = 0; i < w->table_count; i++)
		if (w->tables[i] >> 32)
			return false;
	return true;
}

static void write_rsdp(struct acpi_writer *w)
{
	struct acpi_rsdp *r = (void *)w->buf;
	struct acpi_header *xsdt = write_root(w, "XSDT", sizeof(u64));
	struct acpi_header *rsdt = NULL;

	if (below_4g(w))
		rsdt = write_root(w, "RSDT", sizeof(u32));
	if (w->full)
		return;
	memcpy(r->signature, "RSD PTR ", sizeof(r->signature));
	memcpy(r->oem_id, "BULKHD", sizeof(r->oem_id));
	r->revision = 2;
	r->length = sizeof(*r);
	if (rsdt)
		acpi_writer_point(w, &r->rsdt, sizeof(r->rsdt), rsdt);
	acpi_writer_point(w, &r->xsdt, sizeof(r->xsdt), xsdt);
	acpi_writer_sum(w, r, ACPI_RSDP_V1_BYTES, &r->checksum);
	acpi_writer_sum(w, r, sizeof(*r), &r->extended_checksum);
}

int acpi_writer_seal(struct acpi_writer *w)
{
	write_rsdp(w);
	return w->full ? -ENOSPC : 0;
}

void acpi_writer_free(struct acpi_writer *w)
{
	pmm_free_bytes(&w->vm->budget, w->buf, w->bytes);
}

int acpi_writer_finish(struct acpi_writer *w)
{
	int err = acpi_writer_seal(w);

	if (!err)
		err = gmem_write(w->vm, GPA(w->gpa), w->buf, w->bytes);
	w->vm->acpi_rsdp = err ? 0 : w->gpa;
	acpi_writer_free(w);
	return err;
}
