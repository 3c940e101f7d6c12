/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the firmware's ACPI tables say of the machine (ACPI 6.4, 5.2 *ACPI
 * System Description Tables*). A table whose checksum is wrong is logged by
 * name and used, as Linux uses it: what the privileged guest takes, the
 * hypervisor must know. One whose length or address cannot be is left out. All
 * that others need is in struct acpi_facts; the tables themselves are not kept.
 */
#ifndef DRIVERS_ACPI_ACPI_H
#define DRIVERS_ACPI_ACPI_H

#include "include/bulkhead/boot_info.h"
#include "include/hw/acpi_numa.h"
#include "lib/types.h"

#define ACPI_MAX_CPUS       1024
#define ACPI_MAX_IOAPICS    64
#define ACPI_MAX_OVERRIDES  16 /* one for each ISA interrupt */
#define ACPI_MAX_TABLES     256
#define ACPI_MAX_ECAM       256
#define ACPI_MAX_HPETS      64
#define ACPI_MAX_IOMMUS     256
#define ACPI_MAX_SERIALS    16
#define ACPI_MAX_NODES      64
#define ACPI_MAX_RANGES     256 /* of memory that is a node's */
#define ACPI_MAX_INITIATORS 64
#define ACPI_MAX_IDLE_PORTS 32

struct acpi_ioapic {
	u32 id;
	u64 base;
	u32 gsi_base;
};
struct acpi_override { /* MADT type 2 */
	u8 isa_irq;
	u32 gsi;
	u16 flags;
};
/* A range of MCFG, from where bus 0 would be. Those in use are disjoint, in
 * memory and as buses of a segment. */
struct acpi_ecam {
	u64 base;
	u16 segment;
	u8 bus_first, bus_last;
	bool unused; /* contradicts an earlier one: only kept from guests */
};
struct acpi_iommu {     /* DRHD of DMAR, IVHD of IVRS */
	u64 base, size; /* of its registers; VT-d: at least */
	bool amd;
};
struct acpi_table {
	char signature[5];
	u64 hpa;
	u32 length;
};
struct acpi_gas {
	u8 space, bits, offset, access;
	u64 address;
};

struct acpi_serial { /* a 16550 of SPCR or DBG2 */
	bool debug;  /* DBG2 */
	struct acpi_gas at;
	u32 clock_hz, baud; /* 0: not told */
	bool has_irq, has_gsi;
	u8 irq; /* of the 8259s */
	u32 gsi;
	bool has_function; /* it is a PCI function's */
	u16 segment, vendor, device;
	u8 bus, devfn;
};

/* NUMA (parse_numa.c). A node is the proximity domain of this number. */
struct acpi_node_cpu {
	u32 apic_id, domain, clock_domain;
};
struct acpi_node_range {
	u64 base, size;
	u32 domain, flags; /* of SRAT */
};
struct acpi_numa {
	u32 node_count;              /* 0: no SRAT, or it makes no sense */
	u32 domains[ACPI_MAX_NODES]; /* ascending */
	u32 cpu_count;
	struct acpi_node_cpu cpus[ACPI_MAX_CPUS];
	u32 range_count;
	struct acpi_node_range ranges[ACPI_MAX_RANGES]; /* ascending */
	u32 initiator_count;
	struct srat_initiator initiators[ACPI_MAX_INITIATORS];
	bool has_distances; /* the SLIT is one */
};

/*
 * A list that is full loses what comes after, which is logged. A port or an
 * address of 0 is none.
 */
struct acpi_facts {
	bool present; /* an RSDT or XSDT was read */
	/* The RSDP, both root tables or a table that might be any cannot be
	 * read: more may be there than is known */
	bool table_unread;
	u32 full; /* a bit for each list that lost something, parse.c */
	u32 table_count;
	struct acpi_table
		tables[ACPI_MAX_TABLES]; /* XSDT/RSDT entries + DSDT + FACS */
	u32 cpu_count;
	u32 cpu_apic_ids[ACPI_MAX_CPUS]; /* enabled ones, boot CPU first */
	u32 cpu_acpi_uids[ACPI_MAX_CPUS];
	u64 lapic_base;
	u32 ioapic_count;
	struct acpi_ioapic ioapics[ACPI_MAX_IOAPICS];
	u32 override_count;
	struct acpi_override overrides[ACPI_MAX_OVERRIDES];
	u32 ecam_count;
	struct acpi_ecam ecam[ACPI_MAX_ECAM];
	u16 pm1a_evt, pm1a_cnt, pm1b_cnt; /* ports */
	u16 pm_timer;                     /* port */
	bool has_s5;
	u8 s5_typ_a, s5_typ_b; /* from \_S5_ in the DSDT or an SSDT */
	bool has_reset;
	struct acpi_gas reset;
	u8 reset_value;
	u16 smi_cmd;
	u8 acpi_enable; /* to smi_cmd: ACPI mode on; 0: always on */
	u16 sci_gsi;
	u32 hpet_count;
	u64 hpets[ACPI_MAX_HPETS];
	u32 iommu_count;
	struct acpi_iommu iommus[ACPI_MAX_IOMMUS];
	/* DMAR or IVRS, if there may be an IOMMU that is not in the list;
	 * NULL: there is none */
	const char *iommu_unread;
	bool dma_opt_in; /* DMAR: firmware wants DMA kept in bounds */
	/* Ports whose read puts a core to sleep; P_BLKs, of which P_LVL2 and
	 * P_LVL3 are such where the FADT says so */
	u32 idle_port_count, pblk_count;
	u16 idle_ports[ACPI_MAX_IDLE_PORTS], pblks[ACPI_MAX_IDLE_PORTS];
	bool has_lvl2, has_lvl3;
	u32 serial_count;
	struct acpi_serial serials[ACPI_MAX_SERIALS];
	struct acpi_numa numa;
	/* Machine-check banks of whose corrected errors the firmware takes care
	 * (HEST), a bit each */
	u64 firmware_banks;
};

/* Any core; constant after acpi_init() and piix4_facts() at boot. All zero
 * before. */
extern struct acpi_facts acpi;
/* The GSI of an ISA interrupt (ACPI 6.4, 5.2.12.5 *Interrupt Source Override
 * Structure*); without an override it is @isa_irq. Any core. */
u32 acpi_isa_gsi(u8 isa_irq);
/* The node of a core, or of a range of memory: its place in numa.domains. -1:
 * the tables do not say. Any core. */
int acpi_node_of_core(u32 apic_id);
int acpi_node_of_range(const struct acpi_node_range *r);
/* Fills `acpi` from the tables at @bi's RSDP. Without usable tables it logs
 * that, and `acpi` stays empty. Boot CPU, once, after hostmap_init(). */
void acpi_init(const struct boot_info *bi);
#endif
