/* SPDX-License-Identifier: BSD-2-Clause */
/* Layouts of the ACPI tables (ACPI 6.4, 5.2; PCI Firmware 3.2, 4.1.2 for MCFG;
 * IA-PC HPET 1.0a, 3.2.4). Little-endian, packed, not to be trusted. */
#ifndef HW_ACPI_H
#define HW_ACPI_H

#include "lib/types.h"

#define ACPI_RSDP_V1_BYTES 20u
#define ACPI_RSDP_V2_BYTES 36u
#define ACPI_RSDP_REV_XSDT 2 /* from this revision on */

struct acpi_rsdp {         /* 5.2.5.3 */
	char signature[8]; /* "RSD PTR " */
	u8 checksum;       /* over the first 20 bytes */
	char oem_id[6];
	u8 revision; /* 0: ends after rsdt */
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum; /* over all */
	u8 reserved[3];
} __packed;
static_assert(sizeof(struct acpi_rsdp) == ACPI_RSDP_V2_BYTES, "RSDP");

struct acpi_header { /* 5.2.6 */
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	u32 creator_id;
	u32 creator_revision;
} __packed;
static_assert(sizeof(struct acpi_header) == 36, "table header");

struct acpi_gas_raw { /* 5.2.3.2 */
	u8 space, bits, offset, access;
	u64 address;
} __packed;
static_assert(sizeof(struct acpi_gas_raw) == 12, "GAS");

enum acpi_space { ACPI_SPACE_MEMORY, ACPI_SPACE_IO, ACPI_SPACE_PCI };
/* Access sizes of a register block, table 5.1 */
enum acpi_access {
	ACPI_ACCESS_BYTES = 1,
	ACPI_ACCESS_WORDS = 2,
	ACPI_ACCESS_DWORDS = 3,
};

struct acpi_fadt { /* 5.2.9; older ones are shorter */
	struct acpi_header header;
	u32 facs;
	u32 dsdt;
	u8 reserved0;
	u8 pm_profile;
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
	u8 reserved1;
	u32 flags;
	struct acpi_gas_raw reset_reg;
	u8 reset_value;
	u16 arm_boot_arch;
	u8 minor;
	u64 x_facs;
	u64 x_dsdt;
	struct acpi_gas_raw x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt;
	struct acpi_gas_raw x_pm2_cnt, x_pm_tmr, x_gpe0, x_gpe1;
	struct acpi_gas_raw sleep_control, sleep_status;
} __packed;
static_assert(offsetof(struct acpi_fadt, flags) == 112, "FADT flags");
static_assert(offsetof(struct acpi_fadt, x_facs) == 132,
	      "FADT X_FIRMWARE_CTRL");
static_assert(sizeof(struct acpi_fadt) == 268, "FADT revision 5");

/* The FADT of 6.0 and later */
struct acpi_fadt6 {
	struct acpi_fadt f;
	u64 hypervisor_id;
} __packed;
static_assert(sizeof(struct acpi_fadt6) == 276, "FADT revision 6");

#define FADT_REVISION 6
#define FADT_MINOR    4
/* flags, table 5.10 */
#define FADT_WBINVD        BIT(0)
#define FADT_PROC_C1       BIT(2)
#define FADT_SLP_BUTTON    BIT(5)
#define FADT_TMR_VAL_EXT   BIT(8) /* the PM timer has 32 bits, else 24 */
#define FADT_RESET_REG_SUP BIT(10)
#define FADT_HW_REDUCED    BIT(20)
/* iapc_boot_arch, table 5.11 */
#define FADT_LEGACY_DEVICES BIT(0)
#define FADT_8042           BIT(1)
#define FADT_NO_VGA         BIT(2)
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
static_assert(sizeof(struct acpi_madt) == 44, "MADT");

#define MADT_REVISION    5
#define MADT_PCAT_COMPAT BIT(0) /* flags */

enum madt_type {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_NMI = 4,
	MADT_LAPIC_ADDRESS = 5,
	MADT_X2APIC = 9,
	MADT_X2APIC_NMI = 10,
	MADT_TYPES,
};

struct madt_entry {
	u8 type, length;
} __packed;

struct madt_lapic {
	struct madt_entry entry;
	u8 uid, apic_id;
	u32 flags;
} __packed;
struct madt_ioapic {
	struct madt_entry entry;
	u8 id, reserved;
	u32 base, gsi_base;
} __packed;
struct madt_override {
	struct madt_entry entry;
	u8 bus, irq;
	u32 gsi;
	u16 flags;
} __packed;
struct madt_lapic_nmi {
	struct madt_entry entry;
	u8 uid;
	u16 flags;
	u8 lint;
} __packed;
struct madt_lapic_address {
	struct madt_entry entry;
	u16 reserved;
	u64 base;
} __packed;
struct madt_x2apic {
	struct madt_entry entry;
	u16 reserved;
	u32 apic_id, flags, uid;
} __packed;
struct madt_x2apic_nmi {
	struct madt_entry entry;
	u16 flags;
	u32 uid;
	u8 lint;
	u8 reserved[3];
} __packed;
static_assert(sizeof(struct madt_lapic) == 8, "5.2.12.2");
static_assert(sizeof(struct madt_ioapic) == 12, "5.2.12.3");
static_assert(sizeof(struct madt_override) == 10, "5.2.12.5");
static_assert(sizeof(struct madt_lapic_nmi) == 6, "5.2.12.7");
static_assert(sizeof(struct madt_lapic_address) == 12, "5.2.12.8");
static_assert(sizeof(struct madt_x2apic) == 16, "5.2.12.12");
static_assert(sizeof(struct madt_x2apic_nmi) == 12, "5.2.12.13");

#define MADT_CPU_ENABLED BIT(0)
#define MADT_ALL_CPUS    0xff
#define MADT_ALL_X2APICS ~0u
/* flags of an override, table 5.26: polarity and trigger mode */
#define MADT_LEVEL_HIGH 0xd

struct mcfg_entry {
	u64 base;
	u16 segment;
	u8 bus_first, bus_last;
	u32 reserved;
} __packed;
static_assert(sizeof(struct mcfg_entry) == 16, "MCFG allocation");
#define MCFG_ENTRIES_OFFSET (sizeof(struct acpi_header) + 8)

struct acpi_hpet {
	struct acpi_header header;
	u32 id;
	struct acpi_gas_raw base;
	u8 number;
	u16 min_tick;
	u8 protection;
} __packed;
static_assert(sizeof(struct acpi_hpet) == 56, "HPET");

/* Microsoft: *Serial Port Console Redirection Table*, revision 4; the older
 * ones are shorter */
struct acpi_spcr {
	struct acpi_header header;
	u8 interface;
	u8 reserved0[3];
	struct acpi_gas_raw base;
	u8 interrupts; /* which of the next two there are */
	u8 irq;        /* of the 8259s */
	u32 gsi;
	u8 baud; /* enum spcr_baud */
	u8 parity, stop_bits, flow_control, terminal, language;
	u16 pci_device, pci_vendor; /* FFFFh: no PCI function */
	u8 pci_bus, pci_slot, pci_function;
	u32 pci_flags;
	u8 pci_segment;
	u32 clock_hz;     /* 0: not told */
	u32 precise_baud; /* 0: see baud */
	u16 namespace_length, namespace_offset;
} __packed;
static_assert(offsetof(struct acpi_spcr, pci_device) == 64, "SPCR");
static_assert(sizeof(struct acpi_spcr) == 88, "SPCR revision 4");

#define SPCR_BYTES_MIN        offsetof(struct acpi_spcr, interrupts)
#define SPCR_INTERRUPT_8259   BIT(0)
#define SPCR_INTERRUPT_IOAPIC BIT(1)
#define SPCR_NO_FUNCTION      0xffffu
enum spcr_baud {
	SPCR_BAUD_AS_IS = 0,
	SPCR_BAUD_9600 = 3,
	SPCR_BAUD_19200 = 4,
	SPCR_BAUD_57600 = 6,
	SPCR_BAUD_115200 = 7,
};

/* Microsoft: *Debug Port Table 2* */
struct acpi_dbg2 {
	struct acpi_header header;
	u32 offset, count; /* of the structures */
} __packed;
struct dbg2_device {
	u8 revision;
	u16 length;
	u8 address_count;
	u16 namespace_length, namespace_offset, oem_length, oem_offset;
	u16 type, subtype, reserved;
	u16 address_offset, size_offset; /* from the structure's start */
} __packed;
static_assert(sizeof(struct acpi_dbg2) == 44, "DBG2");
static_assert(sizeof(struct dbg2_device) == 22, "DBG2 device");
#define DBG2_SERIAL 0x8000u
/* Interfaces of a serial port, in both tables: those that are a 16550 */
enum acpi_uart {
	ACPI_UART_16550 = 0,
	ACPI_UART_16450 = 1,
	ACPI_UART_16550_BY_GAS = 0x12,
};

/* VT-d 4.1, 8.1 *DMA Remapping Reporting Structure*, and the structures that
 * follow it */
struct acpi_dmar {
	struct acpi_header header;
	u8 width; /* of the machine's physical addresses, in bits, minus 1 */
	u8 flags;
	u8 reserved[10];
} __packed;
#define DMAR_ENTRIES_OFFSET (sizeof(struct acpi_dmar))
#define DMAR_FLAGS_OFFSET   (sizeof(struct acpi_header) + 1)
#define DMAR_DMA_OPT_IN     BIT(2)
enum dmar_type { DMAR_DRHD = 0 };

struct dmar_entry {
	u16 type, length;
} __packed;
struct dmar_drhd { /* 8.3 */
	struct dmar_entry entry;
	u8 flags;
	u8 size; /* bits 3:0: log2 of its pages; 0 in older tables */
	u16 segment;
	u64 base;
} __packed;
static_assert(sizeof(struct dmar_drhd) == 16, "8.3");
#define DRHD_SIZE_MASK 0xfu
struct dmar_scope { /* 8.3.1, with a path of one step */
	u8 type, length;
	u16 reserved;
	u8 id, bus;
	u8 device, function;
} __packed;
static_assert(sizeof(struct dmar_scope) == 8, "8.3.1");
#define DMAR_SCOPE_ENDPOINT 1

/* AMD I/O Virtualization (48882) 3.10, 5.2.1 *IVRS Header*, 5.2.2 *IVHD* */
#define IVRS_ENTRIES_OFFSET (sizeof(struct acpi_header) + 12)
enum ivrs_type { IVRS_IVHD10 = 0x10, IVRS_IVHD11 = 0x11, IVRS_IVHD40 = 0x40 };

struct ivrs_entry {
	u8 type, flags;
	u16 length;
} __packed;
struct ivrs_ivhd {
	struct ivrs_entry entry;
	u16 device_id, capability;
	u64 base;
	u16 segment, info;
	u32 features; /* of type 10h */
} __packed;
struct ivrs_ivhd11 { /* and 40h */
	struct ivrs_ivhd ivhd;
	u64 efr; /* image of the extended feature register */
	u64 efr2;
} __packed;
static_assert(sizeof(struct ivrs_ivhd) == 24, "IVHD 10h");
static_assert(sizeof(struct ivrs_ivhd11) == 40, "IVHD 11h");
/* Performance counters make the registers larger (3.4.1) */
#define IVHD_FEATURES_BANKS BITS(22, 17)
#define IVHD_EFR_PC         BIT(9)
#define AMD_IOMMU_BYTES     KIB(16)
#define AMD_IOMMU_PC_BYTES  KIB(512)

/* Windows ACPI Emulated Devices Table (Microsoft, 2009) */
struct acpi_waet {
	struct acpi_header header;
	u32 flags;
} __packed;
static_assert(sizeof(struct acpi_waet) == 40, "WAET");
#define WAET_PM_TIMER_GOOD BIT(1) /* one read is enough */

/* AML (20.2) */
#define AML_ZERO_OP         0x00
#define AML_ONE_OP          0x01
#define AML_NAME_OP         0x08
#define AML_METHOD_OP       0x14
#define AML_DUAL_NAME       0x2e
#define AML_MULTI_NAME      0x2f
#define AML_PARENT_CHAR     '^'
#define AML_PROCESSOR_OP    0x83 /* after AML_EXT_OP_PREFIX */
#define AML_BYTE_PREFIX     0x0a
#define AML_DWORD_PREFIX    0x0c
#define AML_STRING_PREFIX   0x0d
#define AML_SCOPE_OP        0x10
#define AML_PACKAGE_OP      0x12
#define AML_EXT_OP_PREFIX   0x5b
#define AML_DEVICE_OP       0x82 /* after AML_EXT_OP_PREFIX */
#define AML_ROOT_CHAR       '\\'
#define AML_PKG_THREE       0x80 /* two more bytes of length follow */
#define AML_PKG_THREE_BYTES 3u

#endif
