/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged guest's DMAR (VT-d 4.1, 8.1): its virtual IOMMU, and the one
 * function behind it. The machine's own IOMMUs are the hypervisor's, and so is
 * the table that names them. Called by acpi_rewrite.c and acpi_build.c.
 */
#include "hv/load/acpi_tables.h"

struct dmar_table {
	struct acpi_dmar head;
	struct dmar_drhd drhd;
	struct dmar_scope scope;
} __packed;
static_assert(sizeof(struct dmar_table) == 72, "no holes");

void acpi_write_dmar(struct acpi_writer *w)
{
	const struct vm_remap *remap = &w->vm->remap;
	struct dmar_table *t;

	if (!remap->base)
		return;
	t = acpi_writer_take(w, sizeof(*t), 8);
	if (!t)
		return;
	t->head.width = (u8)(w->vm->phys_bits - 1);
	t->drhd = (struct dmar_drhd){
		.entry = { DMAR_DRHD, sizeof(t->drhd) + sizeof(t->scope) },
		.base = remap->base,
	};
	t->scope = (struct dmar_scope){
		.type = DMAR_SCOPE_ENDPOINT,
		.length = sizeof(t->scope),
		.device = remap->devfn >> 3,
		.function = remap->devfn & 7,
	};
	acpi_writer_add(w, &t->head.header, "DMAR", 1, sizeof(*t));
}
