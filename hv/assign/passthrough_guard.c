/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the privileged guest may not do to the machine's PCI functions, by their
 * class. Some can remap memory, configuration space or interrupts under the
 * hypervisor: those are hidden, or their own registers are read-only. Called
 * with passthrough.lock held, or while the VM is built.
 */
#include "hv/assign/passthrough_priv.h"
#include "hv/console/console.h"
#include "include/hw/pci.h"

#define VENDOR_ID_INTEL 0x8086
#define VENDOR_ID_AMD   0x1022

static u16 class_of(struct pci_bdf bdf)
{
	return (u16)(pci_read(bdf, PCI_CLASS_REVISION, 4) >> 16);
}

/* IOAPICs that are PCI functions, whose BAR would move the one that the
 * hypervisor programs; and IOMMUs */
bool passthrough_is_hidden(struct pci_bdf bdf)
{
	u32 class = pci_read(bdf, PCI_CLASS_REVISION, 4) >> 8;

	return class == PCI_CLASS_IOAPIC || class == PCI_CLASS_IOXAPIC ||
	       class >> 8 == PCI_CLASS_IOMMU;
}

/* Intel's server chipsets have MMCFG_BASE, VTBAR and the memory map in a
 * function of class 0880h, "Address Map, VTd_Misc, System Management" */
static const u16 map_devices[] = {
	0x3c28, /* Xeon E5, first to fourth generation */
	0x0e28, 0x2f28, 0x6f28, 0x2024, /* Xeon Scalable */
	0x09a2,                         /* third generation and later */
};

static bool is_map_device(u32 id)
{
	if ((u16)id != VENDOR_ID_INTEL)
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(map_devices); i++)
		if (id >> 16 == map_devices[i])
			return true;
	return false;
}

/* The console's: hidden it would hide the functions beside it, too */
static bool is_console(struct pci_bdf bdf)
{
	const struct console_serial *serial = console_serial();

	return serial && serial->has_function &&
	       serial->bdf.segment == bdf.segment &&
	       serial->bdf.bus == bdf.bus && serial->bdf.devfn == bdf.devfn;
}

/*
 * A host bridge's own registers say where ECAM is (PCIEXBAR), what memory the
 * firmware's shadows cover, and in AMD's which addresses go to which DRAM or
 * bus. Firmware has set them up.
 */
void passthrough_guard_init(struct vfunc *f)
{
	f->kept = is_console(f->bdf);
	f->fixed = class_of(f->bdf) == PCI_CLASS_HOST_BRIDGE ||
		   is_map_device(pci_read(f->bdf, PCI_VENDOR_ID, 4));
}

/*
 * Registers of a root's own bridge that drivers write and that remap nothing:
 * the index of AMD's sensors, whose data beside it stays read-only, and the
 * error status that Intel's EDAC drivers clear.
 */
static const struct {
	u16 vendor, offset;
	u8 bytes;
} harmless[] = {
	{ VENDOR_ID_AMD, AMD_SMN_INDEX, 4 },
	{ VENDOR_ID_AMD, AMD_SMN_INDEX_2, 4 },
	{ VENDOR_ID_INTEL, INTEL_ERRSTS, 2 },
};

/* AMD's northbridges of old are devices 18h and up, and have maps there */
static bool is_harmless(const struct vfunc *f, u32 offset, u8 size)
{
	u32 vendor = pci_read(f->bdf, PCI_VENDOR_ID, 2);

	if (f->bdf.devfn)
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(harmless); i++)
		if (vendor == harmless[i].vendor &&
		    offset >= harmless[i].offset &&
		    offset + size <= harmless[i].offset + harmless[i].bytes)
			return true;
	return false;
}

bool passthrough_write_is_refused(const struct vfunc *f, u32 offset, u8 size)
{
	if (f->kept)
		return true;
	return f->fixed && offset >= PCI_CAP_FIRST &&
	       !is_harmless(f, offset, size);
}
