/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DSDT of an isolated guest: a Q35's host bridge and the ICH9's LPC bridge
 * with a PC's legacy devices behind it (Intel ICH9 data sheet; PCI Firmware
 * 3.2). The C preprocessor runs over this file.
 */
#include "dsdt_map.h"

/* One device's four pins in _PRT, by link or by interrupt */
#define PIN(dev, pin, link) Package () { (dev) << 16 | 0xffff, pin, link, 0 }
#define DEV(dev, a, b, c, d) \
	PIN (dev, 0, a), PIN (dev, 1, b), PIN (dev, 2, c), PIN (dev, 3, d)
#define GSI(dev, pin, pirq) \
	Package () { (dev) << 16 | 0xffff, pin, 0, DSDT_PIRQ_A + (pirq) }
#define GDEV(dev, a, b, c, d) \
	GSI (dev, 0, a), GSI (dev, 1, b), GSI (dev, 2, c), GSI (dev, 3, d)

/* Slots take PIRQ E to H in turn, the chipset's own devices A to D */
#define LINKS_EH(dev)                                \
	DEV ((dev), LNKE, LNKF, LNKG, LNKH),         \
	DEV ((dev) + 1, LNKF, LNKG, LNKH, LNKE),     \
	DEV ((dev) + 2, LNKG, LNKH, LNKE, LNKF),     \
	DEV ((dev) + 3, LNKH, LNKE, LNKF, LNKG)
#define LINKS_AD(dev) DEV (dev, LNKA, LNKB, LNKC, LNKD)
#define GSIS_EH(dev)                                 \
	GDEV ((dev), 4, 5, 6, 7),                    \
	GDEV ((dev) + 1, 5, 6, 7, 4),                \
	GDEV ((dev) + 2, 6, 7, 4, 5),                \
	GDEV ((dev) + 3, 7, 4, 5, 6)
#define GSIS_AD(dev) GDEV (dev, 0, 1, 2, 3)

/* An interrupt link over a route register; bit 7 of it: not routed */
#define LINK(name, uid, route)                                              \
	Device (name)                                                       \
	{                                                                   \
		Name (_HID, EisaId ("PNP0C0F"))                             \
		Name (_UID, uid)                                            \
		Method (_STA) { Return (LSTA (route)) }                     \
		Method (_PRS) { Return (POSS) }                             \
		Method (_CRS) { Return (LCRS (route)) }                     \
		Method (_DIS) { route |= 0x80 }                             \
		Method (_SRS, 1)                                            \
		{                                                           \
			CreateDWordField (Arg0, 5, INTR)                    \
			route = INTR                                        \
		}                                                           \
	}

DefinitionBlock ("", "DSDT", 2, "BULKHD", "ISOLATED", 2)
{
	/* 1 once the OS says that it uses the IOAPIC */
	Name (\PICM, 0)
	Method (\_PIC, 1)
	{
		\PICM = Arg0
	}

	Name (\_S5, Package () { DSDT_SLP_TYP_S5, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_SEG, 0)
			Name (_BBN, 0)
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed,
					MaxFixed, PosDecode,
					0, 0, DSDT_BUS_LAST, 0,
					DSDT_BUS_COUNT)
				IO (Decode16, 0xcf8, 0xcf8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed,
					PosDecode, EntireRange,
					0, 0, 0xcf7, 0, 0xcf8)
				WordIO (ResourceProducer, MinFixed, MaxFixed,
					PosDecode, EntireRange,
					0, 0xd00, 0xffff, 0, 0xf300)
				DWordMemory (ResourceProducer, PosDecode,
					MinFixed, MaxFixed, Cacheable,
					ReadWrite,
					0, 0xa0000, 0xbffff, 0, 0x20000)
				DWordMemory (ResourceProducer, PosDecode,
					MinFixed, MaxFixed, NonCacheable,
					ReadWrite,
					0, DSDT_BARS_BASE, DSDT_BARS_LAST, 0,
					DSDT_BARS_BYTES)
			})

			/* No firmware stands behind any of the features */
			Method (_OSC, 4, Serialized)
			{
				CreateDWordField (Arg3, 0, STS)
				If (Arg0 != ToUUID (
					"33db4d5b-1ff7-401c-9657-7441c03dd766"))
				{
					STS |= 4
					Return (Arg3)
				}
				If (Arg1 != 1)
				{
					STS |= 8
				}
				CreateDWordField (Arg3, 8, CTRL)
				Local0 = CTRL & 0x1f
				If (Local0 != CTRL)
				{
					STS |= 0x10
				}
				CTRL = Local0
				Return (Arg3)
			}

			Name (PRTP, Package ()
			{
				LINKS_EH (0), LINKS_EH (4), LINKS_EH (8),
				LINKS_EH (12), LINKS_EH (16), LINKS_EH (20),
				DEV (24, LNKE, LNKF, LNKG, LNKH),
				LINKS_AD (25), LINKS_AD (26), LINKS_AD (27),
				LINKS_AD (28), LINKS_AD (29), LINKS_AD (30),
				LINKS_AD (31)
			})
			Name (PRTA, Package ()
			{
				GSIS_EH (0), GSIS_EH (4), GSIS_EH (8),
				GSIS_EH (12), GSIS_EH (16), GSIS_EH (20),
				GDEV (24, 4, 5, 6, 7),
				GSIS_AD (25), GSIS_AD (26), GSIS_AD (27),
				GSIS_AD (28), GSIS_AD (29), GSIS_AD (30),
				GSIS_AD (31)
			})
			Method (_PRT)
			{
				If (\PICM)
				{
					Return (PRTA)
				}
				Return (PRTP)
			}

			Device (ISA)
			{
				Name (_ADR, 0x001f0000)
				OperationRegion (CFG, PCI_Config, 0x60, 12)
				Field (CFG, ByteAcc, NoLock, Preserve)
				{
					RTA, 8,
					RTB, 8,
					RTC, 8,
					RTD, 8,
					Offset (8),
					RTE, 8,
					RTF, 8,
					RTG, 8,
					RTH, 8
				}

				Device (PIC)
				{
					Name (_HID, EisaId ("PNP0000"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x20, 0x20, 1, 2)
						IO (Decode16, 0xa0, 0xa0, 1, 2)
						IO (Decode16, 0x4d0, 0x4d0, 1, 2)
						IRQNoFlags () { 2 }
					})
				}

				Device (TIMR)
				{
					Name (_HID, EisaId ("PNP0100"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x40, 0x40, 1, 4)
						IRQNoFlags () { 0 }
					})
				}

				Device (SPKR)
				{
					Name (_HID, EisaId ("PNP0800"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x61, 0x61, 1, 1)
					})
				}

				Device (CMOS)
				{
					Name (_HID, EisaId ("PNP0B00"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x70, 0x70, 1, 2)
						IRQNoFlags () { 8 }
					})
				}

				Device (KBD)
				{
					Name (_HID, EisaId ("PNP0303"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x60, 0x60, 1, 1)
						IO (Decode16, 0x64, 0x64, 1, 1)
						IRQNoFlags () { 1 }
					})
				}

				Device (COM1)
				{
					Name (_HID, EisaId ("PNP0501"))
					Name (_UID, 1)
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x3f8, 0x3f8, 1, 8)
						IRQNoFlags () { 4 }
					})
				}

				/* Registers of the chipset */
				Device (MISC)
				{
					Name (_HID, EisaId ("PNP0C02"))
					Name (_UID, 1)
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x92, 0x92, 1, 1)
						IO (Decode16, 0xb2, 0xb2, 1, 2)
						IO (Decode16, DSDT_PM_BASE,
							DSDT_PM_BASE, 1, 0x80)
					})
				}
			}
		}

		/* ECAM */
		Device (ECAM)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, 2)
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, DSDT_ECAM_BASE,
					DSDT_ECAM_BYTES)
			})
		}

		Device (HPET)
		{
			Name (_HID, EisaId ("PNP0103"))
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadOnly, DSDT_HPET_BASE, 0x400)
			})
		}

		Device (FWCF)
		{
			Name (_HID, "QEMU0002")
			Name (_STA, 0x0b)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, DSDT_FWCFG, DSDT_FWCFG, 1, 12)
			})
		}

		Name (POSS, ResourceTemplate ()
		{
			Interrupt (ResourceConsumer, Level, ActiveHigh, Shared)
				{ 5, 10, 11 }
		})
		Name (CURR, ResourceTemplate ()
		{
			Interrupt (ResourceConsumer, Level, ActiveHigh, Shared)
				{ 0 }
		})

		Method (LSTA, 1, NotSerialized)
		{
			If (Arg0 & 0x80)
			{
				Return (0x09)
			}
			Return (0x0b)
		}

		Method (LCRS, 1, Serialized)
		{
			CreateDWordField (CURR, 5, INTR)
			INTR = 0
			If (!(Arg0 & 0x80))
			{
				INTR = Arg0 & 0x0f
			}
			Return (CURR)
		}

		LINK (LNKA, 0, \_SB.PCI0.ISA.RTA)
		LINK (LNKB, 1, \_SB.PCI0.ISA.RTB)
		LINK (LNKC, 2, \_SB.PCI0.ISA.RTC)
		LINK (LNKD, 3, \_SB.PCI0.ISA.RTD)
		LINK (LNKE, 4, \_SB.PCI0.ISA.RTE)
		LINK (LNKF, 5, \_SB.PCI0.ISA.RTF)
		LINK (LNKG, 6, \_SB.PCI0.ISA.RTG)
		LINK (LNKH, 7, \_SB.PCI0.ISA.RTH)
	}
}
