/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD's southbridges: which one it is, and where their watchdog is (AMD SB600,
 * SP5100 and SB800 Register Reference Manuals and Guides, *WatchDogTimer
 * Registers*, *Power Management (PM) Registers*; PPR of family 17h, FCH::PM and
 * FCH::WDT).
 */
#ifndef HW_FCH_H
#define HW_FCH_H

/* 14.0, SMBus: every one has it */
#define FCH_SMBUS_SLOT     0x14
#define FCH_ATI_VENDOR     0x1002
#define FCH_AMD_VENDOR     0x1022
#define FCH_SBX00          0x4385 /* ATI's; SB700 below revision 40h */
#define FCH_HUDSON         0x780b
#define FCH_KERNCZ         0x790b
#define FCH_SB800_REVISION 0x40 /* of SBX00 */
#define FCH_HUDSON_EFCH    0x41 /* PM registers as from here on */
#define FCH_KERNCZ_EFCH    0x49
#define FCH_KERNCZ_MMIO    0x51 /* PM ports may be switched off */
#define FCH_SB700_MMIO     0x9c /* SB700: of 14.0, ACPI MMIO's base */

/* PM registers: bytes, by an index and a data port, or in ACPI MMIO */
#define FCH_PM_INDEX    0xcd6
#define FCH_PM_DATA     0xcd7
#define FCH_PM_PORTS    2
#define FCH_ACPI_MMIO   0xfed80000u
#define FCH_MMIO_PM     0x300 /* in ACPI MMIO */
#define FCH_MMIO_PM_END 0x400
#define FCH_MMIO_WDT    0xb00
/* What says where ACPI MMIO is: on, and in memory */
#define FCH_MMIO_BITS 0x3u
#define FCH_MMIO_ON   0x1u

/* SB700 */
#define SB700_PM_WDT         0x69 /* bits 2:1: of WDT_UNITS */
#define SB700_WDT_UNIT_SHIFT 1
#define SB700_PM_WDT_BASE    0x6c
/* SB800 */
#define SB800_PM_MMIO       0x24
#define SB800_PM_WDT_BASE   0x48 /* bits 2:0 are others */
#define SB800_PM_WDT_CONFIG 0x4c /* bits 1:0: of WDT_UNITS */
/* Later ones: the base is fixed */
#define EFCH_PM_DECODE_3 0x03 /* bits 1:0: of WDT_UNITS */
#define EFCH_PM_ISA      0x04
#define EFCH_PM_ISA_MMIO 0x02
#define EFCH_WDT_BASE    0xfeb00000u

#define WDT_UNIT_MASK 0x3u
#define WDT_UNITS_NS                                                           \
	{                                                                      \
		32000u, 10000000u, 100000000u, 1000000000u                     \
	}

/* The watchdog: two registers of four bytes, at a multiple of 8 */
#define WDT_BYTES     8u
#define WDT_CONTROL   0x0
#define WDT_RUN       0x01u
#define WDT_FIRED     0x02u /* cleared by 1; survives a reset */
#define WDT_POWER_OFF 0x04u /* what it does; else a reset */
#define WDT_DISABLED  0x08u /* by a PM register */
#define WDT_TRIGGER   0x80u /* counts from now; reads as 0 */
#define WDT_COUNT     0x4
#define WDT_COUNT_MAX 0xffffu

#endif
