/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What acpi_build.c and acpi_rewrite.c share: the writer that lays tables
 * (include/hw/acpi.h) out in the guest's ACPI area.
 */
#ifndef HV_LOAD_ACPI_TABLES_H
#define HV_LOAD_ACPI_TABLES_H

#include "drivers/acpi/acpi.h"
#include "hv/core/vm.h"
#include "hv/load/acpi_area.h"
#include "include/hw/acpi.h"

/* AML, built from hv/load/dsdt_*.asl */
extern const u8 dsdt_isolated_aml[], dsdt_piix_aml[];
extern const u32 dsdt_isolated_aml_size, dsdt_piix_aml_size;

/* Where the tables go */
enum acpi_target {
	ACPI_IN_MEMORY, /* the guest's ACPI area, vm->acpi_rsdp */
	ACPI_IN_FILES,  /* fw_cfg: a firmware places them (acpi_publish.c) */
};

/* Parts of the buffer: the RSDP, then the tables. Files have one each. */
#define ACPI_TABLES_AT 64u

/* A pointer into the buffer, and a checksum: a firmware that places the tables
 * does both anew. Offsets in the buffer. */
struct acpi_pointer {
	u32 at;
	u8 size;
};
struct acpi_sum {
	u32 start, length, at;
};
#define ACPI_MAX_POINTERS 40
#define ACPI_MAX_SUMS     20

/* Lays tables out in a buffer of acpi_area_bytes() that becomes the guest's
 * area at gpa; the RSDP comes first. full: something did not fit. */
struct acpi_writer {
	struct vm *vm;
	enum acpi_target target;
	u8 *buf;
	u64 gpa;
	u32 bytes; /* of the buffer */
	u32 used;
	bool full;
	u32 table_count;                 /* entries for the XSDT */
	u64 tables[ACPI_MAX_TABLES + 4]; /* the host's, its own MADT, SRAT
					  * and DMAR, BHLG */
	u32 pointer_count, sum_count;
	struct acpi_pointer pointers[ACPI_MAX_POINTERS];
	struct acpi_sum sums[ACPI_MAX_SUMS];
};

/* Choose the area and get a buffer of the VM's budget. -ENOMEM, -ENOSPC: there
 * is no room, and nothing to free. Pairs with acpi_writer_free(). */
int __must_check acpi_writer_init(struct acpi_writer *w, struct vm *vm,
				  enum acpi_target target);
/* Room for @size zeroed bytes at a multiple of @align, a power of two; NULL and
 * w->full when there is none */
void *acpi_writer_take(struct acpi_writer *w, u32 size, u32 align);
/* Set a pointer of 4 or 8 bytes at @field to something taken */
void acpi_writer_point(struct acpi_writer *w, void *field, u8 size,
		       const void *target);
/* List a table at @table_gpa in XSDT and RSDT */
void acpi_writer_list(struct acpi_writer *w, u64 table_gpa);
/* Set the byte @at so that [start, start + length) adds up to 0 */
void acpi_writer_sum(struct acpi_writer *w, void *start, u32 length, u8 *at);
/* Set a table's checksum, once all of it is in place */
void acpi_header_sum(struct acpi_writer *w, struct acpi_header *h);
/* Fill in a table's header with checksum, and list it; @length in bytes */
void acpi_writer_add(struct acpi_writer *w, struct acpi_header *h,
		     const char *signature, u8 revision, u32 length);
/* Add a MADT for vm's vCPUs, with the host's or a PC's interrupt controllers
 * (acpi_madt.c) */
void acpi_write_madt(struct acpi_writer *w);
/* Add an SRAT for vm's vCPUs and memory, with the host's nodes (acpi_srat.c).
 * False: the host has none. */
bool acpi_write_srat(struct acpi_writer *w);
/* Add a DMAR for vm's virtual IOMMU, if it has one (acpi_dmar.c) */
void acpi_write_dmar(struct acpi_writer *w);
/* Add what the boot before said, if it did not end in order: for the privileged
 * guest. Last of the tables (acpi_log.c). */
void acpi_write_log(struct acpi_writer *w);
/* Add the tables of an isolated guest but for FADT, FACS, DSDT and MADT: SSDT,
 * MCFG, HPET, WAET (acpi_pc.c) */
void acpi_write_pc(struct acpi_writer *w);
/* Add all tables of a guest whose machine has none (acpi_build.c) */
void acpi_write_tables(struct acpi_writer *w);
/* Write XSDT, RSDT and RSDP, the last step before the buffer is used. -ENOSPC:
 * something did not fit. */
int __must_check acpi_writer_seal(struct acpi_writer *w);
void acpi_writer_free(struct acpi_writer *w);
/* Seal it, copy the area to the guest and set vm->acpi_rsdp, 0 on failure.
 * Frees the buffer in every case. -ENOSPC, or -EFAULT: the area is not RAM. */
int __must_check acpi_writer_finish(struct acpi_writer *w);

#endif
