/* SPDX-License-Identifier: BSD-2-Clause */
/* Config registers of the 82Q35 host bridge (3 Series, 5.1). Of the ICH9 LPC
 * bridge: config registers (ICH9, 13.1), chipset configuration registers (10.1)
 * and the processor interface's ports (13.7). */
#ifndef HW_Q35_H
#define HW_Q35_H

/* clang-format off */
#define Q35_VENDOR		0x8086
#define Q35_SUBSYSTEM_VENDOR	0x1af4	/* as QEMU's machines say */
#define Q35_SUBSYSTEM		0x1100

/* 00.0 */
#define MCH_DEVICE		0x29c0
#define MCH_CLASS		0x0600	/* bridge, host */
#define MCH_PCIEXBAR		0x60	/* 8 bytes */
#define MCH_PCIEXBAR_EN		0x1u
#define MCH_PCIEXBAR_LENGTH	0x6u	/* 0: 256 MiB, 1: 128, 2: 64 */
#define MCH_PCIEXBAR_LENGTH_SHIFT 1
#define MCH_PCIEXBAR_BITS	0xffc000007ull	/* 35:26, length, enable */
#define MCH_PAM0		0x90	/* 7 bytes */
#define MCH_PAM_COUNT		7
#define MCH_PAM0_BITS		0x30	/* F0000h: high half only */
#define MCH_PAM_BITS		0x33
#define MCH_LAC			0x97
#define MCH_SMRAM		0x9d
#define MCH_SMRAM_LOCKED	0x12	/* D_LCK, C_BASE_SEG at A0000h */
#define MCH_ESMRAMC		0x9e
#define MCH_ESMRAMC_CACHE	0x38	/* SM_CACHE, SM_L1, SM_L2: read-only */
#define MCH_TOM			0xa0	/* in 64 MiB */
#define MCH_TOM_SHIFT		26
#define MCH_TOUUD		0xa2	/* in MiB */
#define MCH_TOUUD_SHIFT		20
#define MCH_TOLUD		0xb0	/* bits 15:4: address 31:20 */
#define MCH_TOLUD_SHIFT		16
#define MCH_SCRATCHPAD		0xdc	/* 4 bytes */

/* 1f.4 of later chipsets, SMBus (Intel 100 Series, 22.2): where their TCO is */
#define SMBUS_CLASS		0x0c05
#define SMBUS_TCOBASE		0x50
#define SMBUS_TCOBASE_BITS	0xffe0u
#define SMBUS_TCOCTL		0x54
#define SMBUS_TCOCTL_ON		0x100u

/* 1f.0 */
#define LPC_DEVICE		0x2918
#define LPC_REVISION		0x02
#define LPC_CLASS		0x0601	/* bridge, ISA */
#define LPC_STATUS		0x0200	/* DEVSEL# medium */
#define LPC_COMMAND		0x0007	/* read-only ones */
#define LPC_PMBASE		0x40
#define LPC_PMBASE_IO		0x1u
#define LPC_ACPI_CNTL		0x44
#define LPC_ACPI_CNTL_BITS	0x87	/* ACPI_EN, SCI_IRQ_SEL */
#define LPC_ACPI_EN		0x80
#define LPC_GPIOBASE		0x48
#define LPC_GPIOBASE_BITS	0xff80u
#define LPC_GPIO_CNTL		0x4c
#define LPC_GPIO_CNTL_BITS	0x11
#define LPC_PIRQA_ROUT		0x60	/* A to D: 60h-63h */
#define LPC_PIRQE_ROUT		0x68	/* E to H: 68h-6Bh */
#define LPC_PIRQ_BITS		0x8f
#define LPC_PIRQ_OFF		0x80	/* not to the 8259 */
#define LPC_PIRQ_IRQ		0x0f
#define LPC_SIRQ_CNTL		0x64
#define LPC_SIRQ_CNTL_DEFAULT	0x10
#define LPC_SIRQ_CNTL_BITS	0xc3
#define LPC_IO_DEC		0x80	/* 2 bytes */
#define LPC_IO_DEC_BITS		0x1377
#define LPC_EN			0x82	/* 2 bytes */
#define LPC_EN_COM1		0x0001
#define LPC_EN_KBC		0x0400
#define LPC_EN_BITS		0x3f0f
#define LPC_GEN_DEC		0x84	/* 4 of 4 bytes */
#define LPC_GEN_DEC_COUNT	4
#define LPC_GEN_DEC_BITS	0x00fcfffdu
#define LPC_GEN_PMCON_1		0xa0	/* 2 bytes */
#define LPC_GEN_PMCON_1_BITS	0x06d3	/* SMI_LOCK is 4: set by writing 1 */
#define LPC_GEN_PMCON_2		0xa2
#define LPC_GEN_PMCON_2_BITS	0x80	/* DRAM_INIT, a scratch bit */
#define LPC_GEN_PMCON_3		0xa4
#define LPC_GEN_PMCON_3_BITS	0xfb39u
#define LPC_BIOS_CNTL		0xdc
#define LPC_BIOS_CNTL_BITS	0x0c
#define LPC_RCBA		0xf0
#define LPC_RCBA_EN		0x1u

/* The window of RCBA (chipset configuration registers) */
#define RCBA_D31IR		0x3140
#define RCBA_D30IR		0x3142	/* read-only 0 */
#define RCBA_D29IR		0x3144
#define RCBA_D28IR		0x3146
#define RCBA_D27IR		0x3148
#define RCBA_D26IR		0x314c
#define RCBA_D25IR		0x3150
#define RCBA_DIR_DEFAULT	0x3210	/* INTA to PIRQ A, ... */
#define RCBA_DIR_BITS		0x7777
#define RCBA_DIR_SHIFT		4
#define RCBA_RTC_CONF		0x3400
#define RCBA_RTC_CONF_UPPER	0x04	/* the upper 128 bytes of CMOS */
#define RCBA_HPTC		0x3404
#define RCBA_HPTC_ENABLED	0x80	/* at FED00000h */
#define RCBA_GCS		0x3410

/* 13.7.5 *RST_CNT*: RST_CPU starts the reset, of the kind that SYS_RST says */
#define RST_CNT			0xcf9u
#define RST_CNT_SYS_RST		0x02u	/* 1: hard reset, 0: INIT of the CPU */
#define RST_CNT_RST_CPU		0x04u	/* on its rising edge */
#define RST_CNT_FULL_RST	0x08u	/* with a power cycle */

#define LPC_POST_PORT		0x80	/* a write takes about 1 us */
/* clang-format on */

#endif
