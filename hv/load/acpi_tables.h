/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What acpi_build.c and acpi_rewrite.c share: the parts of the ACPI tables that
 * only a maker of tables needs (ACPI 6.4, 5.2; the rest is in acpi_regs.h), and
 * the writer that lays tables out in the guest's ACPI area.
 */
#ifndef HV_LOAD_ACPI_TABLES_H
#define HV_LOAD_ACPI_TABLES_H

#include "drivers/acpi.h"
#include "drivers/acpi_regs.h"
#include "hv/load/acpi_area.h"
#include "hv/vm.h"

#define FADT_REVISION 5
#define FADT_MINOR    1
/* flags, table 5.10 */
#define FADT_WBINVD     BIT(0)
#define FADT_PROC_C1    BIT(2)
#define FADT_PWR_BUTTON BIT(4)
#define FADT_SLP_BUTTON BIT(5)
#define FADT_FIX_RTC    BIT(6)
#define FADT_HEADLESS   BIT(12)
#define FADT_HW_REDUCED BIT(20)
/* iapc_boot_arch, table 5.11 */
#define FADT_LEGACY_DEVICES BIT(0)
#define FADT_8042           BIT(1)
#define FADT_NO_VGA         BIT(2)
#define FADT_NO_CMOS_RTC    BIT(5)
#define FADT_PROFILE_SERVER 4
#define FADT_LATENCY_NO_C2  101
#define FADT_LATENCY_NO_C3  1001

struct acpi_facs { /* 5.2.10 */
	char signature[4];
	u32 length, hardware_signature, waking_vector, global_lock, flags;
	u64 x_waking_vector;
	u8 version;
	u8 reserved[31];
} __packed;
static_assert(sizeof(struct acpi_facs) == 64, "FACS");

#define MADT_REVISION    4
#define MADT_PCAT_COMPAT BIT(0)
#define MADT_LAPIC_NMI   4
#define MADT_ALL_CPUS    0xff

struct madt_lapic_nmi { /* 5.2.12.7 */
	struct madt_entry entry;
	u8 uid;
	u16 flags;
	u8 lint;
} __packed;
static_assert(sizeof(struct madt_lapic_nmi) == 6, "5.2.12.7");

#define MADT_MAX_LAPIC_ID 254 /* 255 is the broadcast of an xAPIC */
#define LAPIC_BASE        0xfee00000u

/* AML, built from hv/load/dsdt_*.asl */
extern const u8 dsdt_isolated_aml[], dsdt_piix_aml[];
extern const u32 dsdt_isolated_aml_size, dsdt_piix_aml_size;

/* Lays tables out in a buffer of ACPI_AREA_BYTES that becomes the guest's area
 * at @gpa; the RSDP comes first. @full: something did not fit. */
struct acpi_writer {
	struct vm *vm;
	u8 *buf;
	u64 gpa;
	u32 used;
	bool full;
	u32 table_count; /* entries for the XSDT */
	u64 tables[ACPI_MAX_TABLES];
};

/* Choose the area and get a buffer; -ENOMEM. Pairs with acpi_writer_finish() */
int __must_check acpi_writer_init(struct acpi_writer *w, struct vm *vm);
/* Room for @size zeroed bytes, aligned; NULL (and full) when there is none */
void *acpi_writer_take(struct acpi_writer *w, u32 size, u32 align);
/* gpa of something taken */
u64 acpi_writer_gpa(const struct acpi_writer *w, const void *p);
void acpi_writer_list(struct acpi_writer *w, u64 table_gpa);
/* Fill in a header and, once all is in place, its checksum */
void acpi_header_init(struct acpi_header *h, const char *signature, u8 revision,
		      u32 length);
void acpi_header_sum(struct acpi_header *h);
/* Add a MADT for vm's vCPUs, with the host's or a PC's interrupt controllers */
void acpi_write_madt(struct acpi_writer *w);
/* XSDT and RSDP; copies the area to the guest when nothing went wrong (@err)
 * and sets vm->acpi_rsdp; frees the buffer. Returns the first error. */
int __must_check acpi_writer_finish(struct acpi_writer *w, int err);

#endif
