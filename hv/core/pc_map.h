/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where everything is in the PC that an isolated guest is (a Q35 with an ICH9,
 * as firmware and kernels know it). One place: devices, ACPI tables, E820 and
 * loaders take their addresses and interrupts from here.
 */
#ifndef HV_CORE_PC_MAP_H
#define HV_CORE_PC_MAP_H

#include "include/hw/acpi_pm.h"
#include "include/hw/ioapic.h"
#include "include/hw/lapic.h"
#include "include/hw/q35.h"
#include "lib/types.h"

/* RAM: [0, PC_LOW_RAM_END) and from 4 GiB on; between them the PCI hole, then
 * IOAPIC, HPET, vLAPIC, and firmware up to 4 GiB */
#define PC_LOW_RAM_END   GIB(2)
#define PC_HIGH_RAM_BASE GIB(4)
#define PC_EBDA_BASE     0x9fc00ull
#define PC_VGA_BASE      0xa0000ull
#define PC_VGA_END       0xc0000ull
#define PC_BIOS_AREA     0xe0000ull /* ACPI, SMBIOS or the firmware's shadow */
#define PC_BIOS_CODE     0xffe00ull /* bios_code.asm, up to F000:FFF0 */
#define PC_BIOS_AREA_END 0x100000ull

/* The PCI hole: all of it traps to hv/device/pci/pci_bus.c, which knows where
 * ECAM and the BARs are now */
#define PC_PCI_HOLE     PC_LOW_RAM_END
#define PC_PCI_HOLE_END PC_IOAPIC_BASE
#define PC_ECAM_BASE    0xb0000000ull /* where stock firmware puts it, too */
#define PC_ECAM_BYTES   MIB(256)
#define PC_PCI_BARS     0xc0000000ull /* window of _CRS, behind ECAM */
#define PC_PCI_BARS_END PC_PCI_HOLE_END
#define PC_PCI_IO       0x6000u /* ports of I/O BARs */
#define PC_PCI_IO_END   0x10000u

#define PC_IOAPIC_BASE  IOAPIC_DEFAULT_BASE
#define PC_HPET_BASE    0xfed00000ull
#define PC_RCBA_BASE    0xfed1c000ull /* ICH9 chipset registers */
#define PC_RCBA_BYTES   KIB(16)
#define PC_LAPIC_BASE   APIC_DEFAULT_BASE
#define PC_FIRMWARE_MIN KIB(64)
#define PC_FIRMWARE_MAX MIB(16) /* ends at 4 GiB */
#define PC_ROM_END      GIB(4)

static inline bool pc_is_firmware_size(u64 size)
{
	return size >= PC_FIRMWARE_MIN && size <= PC_FIRMWARE_MAX &&
	       IS_ALIGNED(size, PAGE_SIZE);
}

/* ISA interrupts. IRQ 0 is pin 2 of the IOAPIC; the others are themselves */
#define PC_IRQ_TIMER    0u
#define PC_GSI_TIMER    2u
#define PC_IRQ_KEYBOARD 1u
#define PC_IRQ_COM1     4u
#define PC_IRQ_RTC      8u
#define PC_IRQ_SCI      9u /* level, active high */
#define PC_IRQ_MOUSE    12u
#define PC_GSI_PIRQ_A   16u /* PIRQ A to H: 16 to 23, level, active low */

/* Ports */
#define PC_PM_BASE    0x600u /* ACPI PM block of the ICH9, 128 ports */
#define PC_PM1_STS    (PC_PM_BASE + PM_PM1_STS)
#define PC_PM1_EN     (PC_PM_BASE + PM_PM1_EN)
#define PC_PM1_CNT    (PC_PM_BASE + PM_PM1_CNT)
#define PC_PM_TMR     (PC_PM_BASE + PM_PM1_TMR)
#define PC_GPE0       (PC_PM_BASE + PM_GPE0_STS)
#define PC_GPE0_BYTES 16u
#define PC_SMI_EN     (PC_PM_BASE + PM_SMI_EN)
#define PC_APM_CNT    0xb2u
#define PC_APM_STS    0xb3u
/* Written to PC_APM_CNT, as the FADT says: SCI_EN is set or cleared */
#define PC_ACPI_ENABLE  0x02u
#define PC_ACPI_DISABLE 0x03u
/* SLP_TYP of \_S5: what the DSDT names, and what the ICH9 knows as S5 */
#define PC_SLP_TYP_S5      0u
#define PC_SLP_TYP_S5_ICH9 7u
#define PC_RESET           RST_CNT
#define PC_RESET_VALUE     (RST_CNT_SYS_RST | RST_CNT_RST_CPU)
#define PC_FWCFG           0x510u
#define PC_DEBUG_CONSOLE   0x402u

/* PCI functions of the board */
#define PC_DEVFN_HOST    0x00u /* 00.0 8086:29c0 Q35 host bridge */
#define PC_DEVFN_ENTROPY 0x08u /* 01.0 1af4:1044, if it has one */
#define PC_DEVFN_SERVED  0x10u /* 02.0 to 09.0, hv/device/virtio/served.h */
#define PC_DEVFN_LPC     0xf8u /* 1f.0 8086:2918 ICH9 LPC bridge */

#endif
