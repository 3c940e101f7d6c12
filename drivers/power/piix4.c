/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts about a machine with a PIIX4 and no ACPI tables, see piix4.h. Called by
 * hv/init.c once; acpi is constant afterwards, so there is no lock.
 */
#include "drivers/power/piix4.h"

#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "include/hw/acpi.h"
#include "include/hw/acpi_pm.h"
#include "include/hw/pci.h"
#include "include/hw/piix4.h"
#include "lib/log.h"

/* How the board wires them. The PIT is at pin 2. The SCI and the PCI interrupts
 * come from the PIIX4 as level, active high. */
static const struct acpi_override overrides[] = {
	{ 0, 2, 0 },
	{ 5, 5, MADT_LEVEL_HIGH },
	{ 9, 9, MADT_LEVEL_HIGH },
	{ 10, 10, MADT_LEVEL_HIGH },
	{ 11, 11, MADT_LEVEL_HIGH },
};
static_assert(ARRAY_SIZE(overrides) <= ACPI_MAX_OVERRIDES, "they fit");

static void use(struct pci_bdf bdf)
{
	u32 base = pci_read(bdf, PIIX4_PMBASE, 4) & PIIX4_PMBASE_MASK;
	u8 misc = (u8)pci_read(bdf, PIIX4_PMREGMISC, 1);

	if (!base) {
		base = PIIX4_PMBASE_DEFAULT;
		pci_write(bdf, PIIX4_PMBASE, 4, base);
	}
	pci_write(bdf, PIIX4_PMREGMISC, 1, misc | PIIX4_PMIOSE);
	acpi.pm1a_evt = (u16)(base + PM_PM1_STS);
	acpi.pm1a_cnt = (u16)(base + PM_PM1_CNT);
	acpi.pm_timer = (u16)(base + PM_PM1_TMR);
	acpi.sci_gsi = 9;
	acpi.has_s5 = true;
	acpi.s5_typ_a = PIIX4_S5_TYPE;
	for (u32 i = 0; i < ARRAY_SIZE(overrides); i++)
		acpi.overrides[i] = overrides[i];
	acpi.override_count = ARRAY_SIZE(overrides);
	log_info("acpi", "no tables, but a PIIX4: its registers are at %#x",
		 base);
}

static void look(struct pci_bdf bdf, void *arg)
{
	if (pci_read(bdf, PCI_VENDOR_ID, 4) == PIIX4_PM_ID)
		use(bdf);
}

void piix4_facts(void)
{
	if (!acpi.present)
		pci_scan(look, NULL);
}
