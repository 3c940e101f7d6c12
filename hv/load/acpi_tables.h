/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layouts of the ACPI tables that guests get (ACPI 6.4, 5.2), and what
 * acpi_build.c and acpi_rewrite.c share: the writer that lays tables out in the
 * guest's ACPI area.
 */
#ifndef HV_LOAD_ACPI_TABLES_H
#define HV_LOAD_ACPI_TABLES_H

#include "drivers/acpi.h"
#include "hv/load/acpi_area.h"
#include "hv/vm.h"

struct acpi_header { /* 5.2.6 */
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem_id[6], oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
} __packed;
static_assert(sizeof(struct acpi_header) == 36, "DESCRIPTION_HEADER");

struct acpi_rsdp_table { /* 5.2.5.3 */
	char signature[8];
	u8 checksum; /* of the first 20 bytes */
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum;
	u8 reserved[3];
} __packed;
static_assert(sizeof(struct acpi_rsdp_table) == 36, "RSDP");
#define ACPI_RSDP_V1_BYTES 20u

struct acpi_gas_field { /* 5.2.3.2 */
	u8 space, bits, offset, access;
	u64 address;
} __packed;
static_assert(sizeof(struct acpi_gas_field) == 12, "GAS");
#define ACPI_SPACE_IO    1
#define ACPI_ACCESS_BYTE 1

struct acpi_fadt { /* 5.2.9 */
	struct acpi_header header;
	u32 firmware_ctrl, dsdt;
	u8 reserved1, preferred_pm_profile;
	u16 sci_int;
	u32 smi_cmd;
	u8 acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
	u32 pm1a_evt_blk, pm1b_evt_blk, pm1a_cnt_blk, pm1b_cnt_blk;
	u32 pm2_cnt_blk, pm_tmr_blk, gpe0_blk, gpe1_blk;
	u8 pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
	u8 gpe0_blk_len, gpe1_blk_len, gpe1_base, cst_cnt;
	u16 p_lvl2_lat, p_lvl3_lat, flush_size, flush_stride;
	u8 duty_offset, duty_width, day_alrm, mon_alrm, century;
	u16 iapc_boot_arch;
	u8 reserved2;
	u32 flags;
	struct acpi_gas_field reset_reg;
	u8 reset_value;
	u16 arm_boot_arch;
	u8 minor_version;
	u64 x_firmware_ctrl, x_dsdt;
	struct acpi_gas_field x_pm1a_evt_blk, x_pm1b_evt_blk;
	struct acpi_gas_field x_pm1a_cnt_blk, x_pm1b_cnt_blk;
	struct acpi_gas_field x_pm2_cnt_blk, x_pm_tmr_blk;
	struct acpi_gas_field x_gpe0_blk, x_gpe1_blk;
	struct acpi_gas_field sleep_control_reg, sleep_status_reg;
	u64 hypervisor_vendor;
} __packed;
static_assert(sizeof(struct acpi_fadt) == 276, "FADT, ACPI 6.4");
static_assert(offsetof(struct acpi_fadt, flags) == 112, "FADT flags");
static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140, "FADT X_DSDT");
#define FADT_REVISION 6
#define FADT_MINOR    4
/* flags, table 5.10 */
#define FADT_WBINVD        BIT(0)
#define FADT_PROC_C1       BIT(2)
#define FADT_PWR_BUTTON    BIT(4)
#define FADT_SLP_BUTTON    BIT(5)
#define FADT_FIX_RTC       BIT(6)
#define FADT_RESET_REG_SUP BIT(10)
#define FADT_HEADLESS      BIT(12)
#define FADT_HW_REDUCED    BIT(20)
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

struct acpi_madt { /* 5.2.12 */
	struct acpi_header header;
	u32 lapic_base;
	u32 flags;
} __packed;
#define MADT_REVISION    5
#define MADT_PCAT_COMPAT BIT(0)

enum madt_type {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_NMI = 4,
	MADT_X2APIC = 9,
};

struct madt_lapic {
	u8 type, length, uid, apic_id;
	u32 flags;
} __packed;
#define MADT_ENABLED BIT(0)
struct madt_ioapic {
	u8 type, length, id, reserved;
	u32 base, gsi_base;
} __packed;
struct madt_override {
	u8 type, length, bus, isa_irq;
	u32 gsi;
	u16 flags;
} __packed;
#define MADT_FLAGS_BUS 0x0
struct madt_lapic_nmi {
	u8 type, length, uid;
	u16 flags;
	u8 lint;
} __packed;
#define MADT_ALL_CPUS 0xff
struct madt_x2apic {
	u8 type, length;
	u16 reserved;
	u32 apic_id, flags, uid;
} __packed;
static_assert(sizeof(struct madt_lapic) == 8, "MADT type 0");
static_assert(sizeof(struct madt_ioapic) == 12, "MADT type 1");
static_assert(sizeof(struct madt_override) == 10, "MADT type 2");
static_assert(sizeof(struct madt_lapic_nmi) == 6, "MADT type 4");
static_assert(sizeof(struct madt_x2apic) == 16, "MADT type 9");

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
