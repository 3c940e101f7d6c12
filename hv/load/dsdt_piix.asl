/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DSDT of a privileged guest on a machine whose firmware has no ACPI tables:
 * a PC with the i440FX host bridge and the PIIX3 or PIIX4 (Intel 82371SB/AB data
 * sheets). acpi_build.c patches MMIN. The C preprocessor runs over this file.
 */

/* One device's four pins in _PRT */
#define PIN(dev, pin, link) Package () { (dev) << 16 | 0xffff, pin, link, 0 }
#define DEV(dev, a, b, c, d) \
	PIN (dev, 0, a), PIN (dev, 1, b), PIN (dev, 2, c), PIN (dev, 3, d)
/* The PIIX swizzle, (device + pin - 1) & 3, repeats every four devices */
#define DEV4(dev)                                    \
	DEV ((dev), LNKD, LNKA, LNKB, LNKC),         \
	DEV ((dev) + 1, LNKA, LNKB, LNKC, LNKD),     \
	DEV ((dev) + 2, LNKB, LNKC, LNKD, LNKA),     \
	DEV ((dev) + 3, LNKC, LNKD, LNKA, LNKB)

/* An interrupt link over a route register; bit 7 of it: not routed */
#define LINK(name, uid, route)                                              \
	Device (name)                                                       \
	{                                                                   \
		Name (_HID, EisaId ("PNP0C0F"))                             \
		Name (_UID, uid)                                            \
		Method (_STA) { Return (LSTA (route)) }                     \
		Method (_PRS) { Return (POSS) }                             \
		Method (_CRS) { Return (LCRS (route)) }                     \
		Method (_DIS) { Or (route, 0x80, route) }                   \
		Method (_SRS, 1)                                            \
		{                                                           \
			CreateDWordField (Arg0, 5, INTR)                    \
			Store (INTR, route)                                 \
		}                                                           \
	}
DefinitionBlock ("", "DSDT", 2, "BULKHD", "PIIXPC", 1)
{
	Name (\MMIN, 0x80000000) /* PCI memory: first byte, patched */
	Name (\MMAX, 0xfebfffff) /* and last byte */

	/* Sleep type 0 is soft off in the PIIX4's PM1 control */
	Name (\_S5, Package () { 0, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_BBN, 0)
			Name (RES, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed,
					MaxFixed, PosDecode,
					0, 0, 0xff, 0, 0x100)
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
					0, 0x80000000, 0xfebfffff, 0,
					0x7ec00000, , , PMEM)
			})

			Method (_CRS, 0, Serialized)
			{
				CreateDWordField (RES, ^PMEM._MIN, LOW)
				CreateDWordField (RES, ^PMEM._MAX, HIGH)
				CreateDWordField (RES, ^PMEM._LEN, SIZE)
				LOW = \MMIN
				HIGH = \MMAX
				SIZE = HIGH - LOW + 1
				Return (RES)
			}

			Name (_PRT, Package ()
			{
				DEV4 (0), DEV4 (4), DEV4 (8), DEV4 (12),
				DEV4 (16), DEV4 (20), DEV4 (24), DEV4 (28)
			})

			Device (ISA)
			{
				Name (_ADR, 0x00010000)
				OperationRegion (CFG, PCI_Config, 0x60, 4)
				Field (CFG, ByteAcc, NoLock, Preserve)
				{
					RTA, 8,
					RTB, 8,
					RTC, 8,
					RTD, 8
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

				Device (MOU)
				{
					Name (_HID, EisaId ("PNP0F13"))
					Name (_CRS, ResourceTemplate ()
					{
						IRQNoFlags () { 12 }
					})
				}

				Device (RTCD)
				{
					Name (_HID, EisaId ("PNP0B00"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x70, 0x70, 1, 8)
						IRQNoFlags () { 8 }
					})
				}
			}
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

		LINK (LNKA, 1, \_SB.PCI0.ISA.RTA)
		LINK (LNKB, 2, \_SB.PCI0.ISA.RTB)
		LINK (LNKC, 3, \_SB.PCI0.ISA.RTC)
		LINK (LNKD, 4, \_SB.PCI0.ISA.RTD)
	}
}
