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
#include "lib/log.h"

#define VENDOR_ID_INTEL 0x8086
#define VENDOR_ID_AMD   0x1022

/* VMCONFIG: messages pass as they are */
#define VMD_CONFIG          0x44u
#define VMD_CONFIG_MSI_PASS BIT(1)

static u16 class_of(struct pci_bdf bdf)
{
	return (u16)(pci_read(bdf, PCI_CLASS_REVISION, 4) >> 16);
}

/* Intel's server chipsets have MMCFG_BASE, VTBAR and the memory map in a
 * function of class 0880h, "Address Map, VTd_Misc, System Management" */
static const u16 map_devices[] = {
	0x3c28, /* Xeon E5, first to fourth generation */
	0x0e28, 0x2f28, 0x6f28, 0x2024, /* Xeon Scalable */
	0x09a2,                         /* third generation and later */
};

/*
 * Intel's Volume Management Device has a PCI segment of its own behind its
 * BARs. The functions there, mostly NVMe disks, are not known here, nor are
 * their MSI-X tables trapped. It takes their messages for indices of its own
 * MSI-X table, which is trapped as any function's, as long as VMCONFIG does not
 * say that they pass as they are. So it does not. With drivers that use the
 * latter, as Linux does on these, the disks would send nothing: all is hidden.
 */
static const u16 vmd_devices[] = { 0x201d, 0x467f, 0x4c3d, 0xa77f, 0x7d0b,
				   0xad0b, 0x9a0b, 0xb60b, 0xb06f };
static const u16 vmd_that_bypass[] = { 0x28c0 };

static bool is_intel_of(u32 id, const u16 *devices, size_t count)
{
	if ((u16)id != VENDOR_ID_INTEL)
		return false;
	for (size_t i = 0; i < count; i++)
		if (id >> 16 == devices[i])
			return true;
	return false;
}

static bool is_vmd(u32 id)
{
	return is_intel_of(id, vmd_devices, ARRAY_SIZE(vmd_devices));
}

static bool is_hidden_vmd(u32 id)
{
	return is_intel_of(id, vmd_that_bypass, ARRAY_SIZE(vmd_that_bypass));
}

void passthrough_guard_report(struct pci_bdf bdf)
{
	if (is_hidden_vmd(pci_read(bdf, PCI_VENDOR_ID, 4)))
		log_warn("pci",
			 "the VMD at %04x:%02x:%02x.%u, and all disks behind "
			 "it, are hidden from the guests: turn VMD (Volume "
			 "Management Device) off in the firmware's setup to "
			 "use them",
			 bdf.segment, bdf.bus, pci_device(bdf),
			 pci_function(bdf));
}

static void vmd_init(struct vfunc *f)
{
	u32 config = pci_read(f->bdf, VMD_CONFIG, 4);

	f->vmd = true;
	if (!(config & VMD_CONFIG_MSI_PASS))
		return;
	pci_write(f->bdf, VMD_CONFIG, 4, config & ~(u32)VMD_CONFIG_MSI_PASS);
	log_info("pci", "firmware let the messages of the VMD's disks pass: "
			"they go through its own table now");
}

static bool is_map_device(u32 id)
{
	return is_intel_of(id, map_devices, ARRAY_SIZE(map_devices));
}

/* IOAPICs that are PCI functions, whose BAR would move the one that the
 * hypervisor programs; and IOMMUs */
bool passthrough_is_hidden(struct pci_bdf bdf)
{
	u32 class = pci_read(bdf, PCI_CLASS_REVISION, 4) >> 8;

	return class == PCI_CLASS_IOAPIC || class == PCI_CLASS_IOXAPIC ||
	       class >> 8 == PCI_CLASS_IOMMU ||
	       is_hidden_vmd(pci_read(bdf, PCI_VENDOR_ID, 4));
}

/* The console's: hidden it would hide the functions beside it, too */
static bool is_console(struct pci_bdf bdf)
{
	const struct console_serial *serial = console_serial();

	return serial && serial->has_function && pci_same(serial->bdf, bdf);
}

/*
 * The console is polled, and a hidden VMD has no driver: neither needs DMA. An
 * IOAPIC that is a function does, as its interrupts are writes of its own, and
 * the hypervisor programs it. An IOMMU is off, and what passes through it is
 * others'.
 */
void passthrough_guard_quiet(struct pci_bdf bdf)
{
	u32 command;

	pci_quiet_function(bdf);
	if (!is_console(bdf) && !is_hidden_vmd(pci_read(bdf, PCI_VENDOR_ID, 4)))
		return;
	command = pci_read(bdf, PCI_COMMAND, 2);
	if (command & PCI_COMMAND_MASTER)
		pci_write(bdf, PCI_COMMAND, 2,
			  command & ~(u32)PCI_COMMAND_MASTER);
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
	if (is_vmd(pci_read(f->bdf, PCI_VENDOR_ID, 4)))
		vmd_init(f);
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
	if (f->vmd && offset < VMD_CONFIG + 4 && offset + size > VMD_CONFIG)
		return true;
	return f->fixed && offset >= PCI_CAP_FIRST &&
	       !is_harmless(f, offset, size);
}
