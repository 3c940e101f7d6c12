/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where configuration space lies in memory, by the tables and by the hardware,
 * which may decode more than the MCFG table tells: raw configuration space
 * would be an unguarded way to every device. Called by hv/init.c at boot; no
 * lock.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "include/hw/msr.h"
#include "include/hw/pci.h"
#include "include/hw/q35.h"
#include "lib/log.h"
#include "mm/owner.h"

#define Q35_ID (MCH_DEVICE << 16 | Q35_VENDOR)

static void keep(u64 base, u64 size)
{
	if (owner_keep_device(base, size))
		log_warn("pci",
			 "configuration space at %#llx is not where registers "
			 "can be",
			 base);
}

static void keep_table(void)
{
	for (u32 i = 0; i < acpi.ecam_count; i++) {
		const struct acpi_ecam *e = &acpi.ecam[i];

		keep(e->base + e->bus_first * PCI_ECAM_BUS_BYTES,
		     (e->bus_last - e->bus_first + 1u) * PCI_ECAM_BUS_BYTES);
	}
}

/* BKDG of AMD's families 10h and later, MSRC001_0058 *MMIO Configuration Base
 * Address Register* */
static void keep_amd(void)
{
	u64 conf;

	if (cpu_features.vendor != VENDOR_AMD ||
	    rdmsr_safe(MSR_AMD_MMIO_CONF, &conf) ||
	    !(conf & AMD_MMIO_CONF_ENABLE))
		return;
	keep(conf & AMD_MMIO_CONF_BASE,
	     PCI_ECAM_BUS_BYTES << AMD_MMIO_CONF_BUSES(conf));
}

static void keep_q35(void)
{
	static const struct pci_bdf mch = { 0 };
	u32 low, length;
	u64 base;

	if (pci_read(mch, PCI_VENDOR_ID, 4) != Q35_ID)
		return;
	low = pci_read(mch, MCH_PCIEXBAR, 4);
	base = (u64)pci_read(mch, MCH_PCIEXBAR + 4, 4) << 32 | low;
	length = (low & MCH_PCIEXBAR_LENGTH) >> MCH_PCIEXBAR_LENGTH_SHIFT;
	if (low & MCH_PCIEXBAR_EN)
		keep(base & ~(MIB(64) - 1), MIB(256) >> length);
}

void pci_keep_ecam(void)
{
	keep_table();
	keep_amd();
	keep_q35();
}
