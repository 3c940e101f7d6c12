/* SPDX-License-Identifier: BSD-2-Clause */
/* The DSDT of an isolated guest: a serial port and the power-off state. The
 * platform is hardware-reduced; its sleep registers are in the FADT. */
DefinitionBlock ("", "DSDT", 2, "BULKHD", "ISOLATED", 1)
{
	/* Type 5 goes to the sleep control register (hv/vdev/vpower.h) */
	Name (\_S5, Package () { 5, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_STA, 0x0f)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x3f8, 0x3f8, 1, 8)
				IRQNoFlags () { 4 }
			})
		}
	}
}
