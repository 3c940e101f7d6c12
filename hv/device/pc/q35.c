/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chipset of an isolated guest: the ICH9 LPC bridge (q35_lpc.c), and here
 * the 82Q35 host bridge, as far as firmware and kernels look at it. PCIEXBAR
 * moves ECAM; the top-of-memory registers tell the RAM there is.
 *
 * The PAM registers keep their bits and do nothing. C0000h to FFFFFh is RAM of
 * the guest, where firmware finds a copy of the image's end at reset. So both
 * ways of firmware work: to write to the RAM below the ROM and then switch, and
 * to switch, copy and lock. A write after the lock should be lost, but is not.
 * SMRAM reads as locked, since there is no SMM.
 *
 * Called from exits through the PCI bus, and when the VM is made or reset.
 * Lock: see q35_priv.h.
 */
#include "include/hw/q35.h"
#include "hv/core/pc_map.h"
#include "hv/core/slots.h"
#include "hv/device/pc/q35_priv.h"
#include "hv/device/pci/pci_bus_priv.h"
#include "include/hw/pci.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/string.h"

void q35_header(u8 header[64], const struct q35_id *id)
{
	memset(header, 0, 64);
	put_bytes(header + PCI_VENDOR_ID, Q35_VENDOR, 2);
	put_bytes(header + PCI_DEVICE_ID, id->device, 2);
	put_bytes(header + PCI_COMMAND, id->command, 2);
	put_bytes(header + PCI_STATUS, id->status, 2);
	header[PCI_CLASS_REVISION] = id->revision;
	put_bytes(header + PCI_CLASS_REVISION + 2, id->class, 2);
	header[PCI_HEADER_TYPE] = id->type;
	put_bytes(header + PCI_SUBSYSTEM_VENDOR, Q35_SUBSYSTEM_VENDOR, 2);
	put_bytes(header + PCI_SUBSYSTEM_ID, Q35_SUBSYSTEM, 2);
}

static u64 pciexbar_get(const struct pci_fn *f)
{
	u64 value;

	memcpy(&value, &f->config[MCH_PCIEXBAR], sizeof(value));
	return value;
}

/* Length 3 is reserved and decodes nothing. Bits of the base below the length
 * do not count. */
static void ecam_place(struct pci_fn *f)
{
	static const u64 sizes[4] = { MIB(256), MIB(128), MIB(64), 0 };
	u64 value = pciexbar_get(f);
	u64 size = sizes[(value & MCH_PCIEXBAR_LENGTH) >>
			 MCH_PCIEXBAR_LENGTH_SHIFT];
	u64 base = value & MCH_PCIEXBAR_BITS & ~(u64)(MIB(64) - 1);

	if (!(value & MCH_PCIEXBAR_EN))
		size = 0;
	pci_bus_set_ecam(f->vm, size ? ALIGN_DOWN(base, size) : 0, size);
}

/* If two vCPUs write at once, the last one's value stays */
static void pciexbar_follow(struct pci_fn *f)
{
	struct q35 *q = f->dev;

	spin_lock(&q->lock);
	ecam_place(f);
	spin_unlock(&q->lock);
}

static void host_written(struct pci_fn *f, u32 offset, u8 size)
{
	if (offset < MCH_PCIEXBAR + 8 && offset + size > MCH_PCIEXBAR)
		pciexbar_follow(f);
}

static const struct pci_fn_ops host_ops = {
	.config_written = host_written,
	.reset = pciexbar_follow,
};

/* The registers of the RAM's size: read-only, as if firmware had locked them */
static void define_ram(struct pci_fn *f)
{
	u64 low = vm_ram_end(f->vm, PC_LOW_RAM_END);
	u64 end = vm_ram_end(f->vm, ~0ull);
	u64 bytes = low + (end > PC_HIGH_RAM_BASE ? end - PC_HIGH_RAM_BASE : 0);

	pci_fn_define(f, MCH_TOM, 2, bytes >> MCH_TOM_SHIFT, 0);
	pci_fn_define(f, MCH_TOUUD, 2,
		      MAX(end, PC_HIGH_RAM_BASE) >> MCH_TOUUD_SHIFT, 0);
	pci_fn_define(f, MCH_TOLUD, 2, low >> MCH_TOLUD_SHIFT, 0);
}

/* Without firmware, ECAM is where firmware would have put it */
static u64 pciexbar_power_on(const struct vm *vm)
{
	bool firmware = vm->config->boot == BOOT_WAY_FIRMWARE;

	return firmware ? 0 : PC_ECAM_BASE | MCH_PCIEXBAR_EN;
}

static void define_host(struct pci_fn *f)
{
	pci_fn_define(f, PCI_COMMAND, 2,
		      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
		      PCI_COMMAND_SERR);
	pci_fn_define(f, MCH_PCIEXBAR, 8, pciexbar_power_on(f->vm),
		      MCH_PCIEXBAR_BITS);
	pci_fn_define(f, MCH_PAM0, 1, 0, MCH_PAM0_BITS);
	for (u32 i = 1; i < MCH_PAM_COUNT; i++)
		pci_fn_define(f, MCH_PAM0 + i, 1, 0, MCH_PAM_BITS);
	pci_fn_define(f, MCH_SMRAM, 1, MCH_SMRAM_LOCKED, 0);
	pci_fn_define(f, MCH_ESMRAMC, 1, MCH_ESMRAMC_CACHE, 0);
	pci_fn_define(f, MCH_SCRATCHPAD, 4, 0, ~0u);
	define_ram(f);
}

static int host_create(struct q35 *q)
{
	static const struct q35_id id = { .device = MCH_DEVICE,
					  .class = MCH_CLASS };
	u8 header[64];
	int err;

	q->host = (struct pci_fn){
		.vm = q->vm, .devfn = PC_DEVFN_HOST, .ops = &host_ops, .dev = q
	};
	q35_header(header, &id);
	err = pci_bus_add(&q->host, header);
	if (err)
		return err;
	define_host(&q->host);
	return 0;
}

/* The reset of the bus comes first and brings back the power-on values */
static void q35_reset(struct vm *vm)
{
	lpc_reset(vm->devices[VDEV_q35]);
}

static int q35_create(struct vm *vm)
{
	struct q35 *q = kmem_alloc(&vm->budget, sizeof(*q));
	int err;

	if (!q)
		return -ENOMEM;
	q->vm = vm;
	vm->devices[VDEV_q35] = q;
	err = host_create(q);
	if (!err)
		err = lpc_create(q);
	if (err)
		return err;
	pciexbar_follow(&q->host);
	lpc_reset(q);
	return 0;
}

static void q35_destroy(struct vm *vm)
{
	kmem_free(&vm->budget, vm->devices[VDEV_q35], sizeof(struct q35));
}

const struct vdev q35_vdev = {
	.name = "chipset",
	.create = q35_create,
	.destroy = q35_destroy,
	.reset = q35_reset,
};
