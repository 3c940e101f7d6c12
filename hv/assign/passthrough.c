/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged guest's PCI: real functions, with the interrupt parts held
 * back. Its config space (PCI 3.0, 3.2.2.3.2; PCIe 4.0, 7.2.2) is trapped:
 * CF8h/CFCh and every ECAM range of the host. Accesses pass to the function,
 * except MSI address and data and MSI-X tables, which are virtual. The guest's
 * values there say which vLAPIC vector it wants; the hardware gets a host
 * vector from hv/irq/route.h. Writes that can move an MSI-X table are followed
 * up. What could remap the machine is held back (passthrough_guard.c). A
 * function is known from the scan at creation or from its first access
 * (hot plug). Called from exits, any core; locks: see passthrough_priv.h.
 */
#include "arch/x86/cpu/portio.h"
#include "hv/assign/passthrough_priv.h"
#include "hv/assign/vpower.h"
#include "hv/core/vcpu.h"
#include "include/hw/pci.h"
#include "include/hw/q35.h"
#include "lib/bytes.h"
#include "lib/errno.h"

#define NO_FUNCTION 0xffffu

static u32 bdf_hash(struct pci_bdf bdf)
{
	return (bdf.devfn ^ bdf.bus * 13u ^ bdf.segment * 7u) %
	       PASSTHROUGH_HASH;
}

static struct passthrough *passthrough_of(const struct vm *vm)
{
	return vm->devices[VDEV_passthrough];
}

static struct vfunc *func_find(const struct passthrough *pci,
			       struct pci_bdf bdf)
{
	struct vfunc *f = pci->hash[bdf_hash(bdf)];

	while (f && (f->bdf.bus != bdf.bus || f->bdf.devfn != bdf.devfn ||
		     f->bdf.segment != bdf.segment))
		f = f->next;
	return f;
}

/* No memory: the function stays unknown, and with it all of its config space */
static struct vfunc *func_add(struct passthrough *pci, struct pci_bdf bdf)
{
	struct vfunc *f = kmem_alloc(&pci->vm->budget, sizeof(*f));
	struct vfunc **head = &pci->hash[bdf_hash(bdf)];

	if (!f)
		return NULL;
	f->pci = pci;
	f->bdf = bdf;
	passthrough_guard_init(f);
	passthrough_msi_init(f);
	passthrough_msix_init(f);
	f->next = *head;
	*head = f;
	return f;
}

/* *added: it is new, and its MSI-X table is not trapped yet */
static struct vfunc *func_get(struct passthrough *pci, struct pci_bdf bdf,
			      bool *added)
{
	struct vfunc *f = func_find(pci, bdf);

	if (f || pci_read(bdf, PCI_VENDOR_ID, 2) == NO_FUNCTION ||
	    passthrough_is_hidden(bdf))
		return f;
	f = func_add(pci, bdf);
	*added = f != NULL;
	return f;
}

static void func_found(struct pci_bdf bdf, void *arg)
{
	struct passthrough *pci = arg;
	struct vfunc *f = NULL;

	if (!func_find(pci, bdf) && !passthrough_is_hidden(bdf))
		f = func_add(pci, bdf);
	if (f)
		passthrough_msix_place_first(f);
}

/* Which dword of the MSI capability @offset is in, -1: none */
static int msi_word(const struct vfunc *f, u32 offset)
{
	if (!f->msi.cap || offset < f->msi.cap ||
	    offset >= f->msi.cap + f->msi.words * 4u)
		return -1;
	return (int)((offset - f->msi.cap) / 4);
}

static bool is_msix_control(const struct vfunc *f, u32 offset)
{
	return f->msix.cap && (offset & ~3u) == f->msix.cap;
}

/* An aligned access that does not cross a dword */
static u32 func_read(struct vfunc *f, u32 offset, u8 size)
{
	int word = msi_word(f, offset);
	u32 value;

	if (word >= 0)
		value = passthrough_msi_read(f, (u32)word);
	else if (is_msix_control(f, offset))
		value = passthrough_msix_control_read(f);
	else
		return pci_read(f->bdf, (u16)offset, size);
	return value >> (offset & 3) * 8 & (u32)ones_of(size);
}

static u32 merge(u32 old, u32 offset, u8 size, u32 value)
{
	u32 shift = (offset & 3) * 8;

	return (u32)merge_bits(old, (u64)value << shift,
			       ones_of(size) << shift);
}

/* True: the write may have moved a table */
static bool func_write(struct vfunc *f, u32 offset, u8 size, u32 value)
{
	int word = msi_word(f, offset);

	if (word >= 0) {
		passthrough_msi_write(f, (u32)word,
				      merge(passthrough_msi_read(f, (u32)word),
					    offset, size, value));
		return false;
	}
	if (is_msix_control(f, offset)) {
		passthrough_msix_control_write(
			f, merge(passthrough_msix_control_read(f), offset, size,
				 value));
		return false;
	}
	if (passthrough_write_is_refused(f, offset))
		return false;
	pci_write(f->bdf, (u16)offset, size, value);
	return offset < PCI_COMMAND + 2u ||
	       (offset >= PCI_BAR0 && offset < PCI_BAR0 + PCI_BAR_COUNT * 4);
}

static u32 config_read(struct passthrough *pci, struct pci_address a, u8 size)
{
	struct vfunc *f;
	u32 value = (u32)ones_of(size);
	bool added = false;

	spin_lock(&pci->lock);
	f = func_get(pci, a.bdf, &added);
	if (f)
		value = func_read(f, a.reg, size) & (u32)ones_of(size);
	spin_unlock(&pci->lock);
	if (added)
		passthrough_follow(f);
	return value;
}

static void config_write(struct passthrough *pci, struct pci_address a, u8 size,
			 u32 value)
{
	bool moved = false, added = false;
	struct vfunc *f;

	spin_lock(&pci->lock);
	f = func_get(pci, a.bdf, &added);
	if (f)
		moved = func_write(f, a.reg, size, value);
	spin_unlock(&pci->lock);
	if (moved || added)
		passthrough_follow(f);
}

/* The piece an access starts with: the largest aligned 4, 2 or 1 bytes */
static u8 piece(u64 offset, u8 size)
{
	u8 n = 4;

	while (n > size || !IS_ALIGNED(offset, n))
		n /= 2;
	return n;
}

static struct pci_address ecam_address(const struct acpi_ecam *e, u64 offset)
{
	struct pci_address a = pci_ecam_split(offset);

	a.bdf.segment = e->segment;
	a.bdf.bus = (u8)(a.bdf.bus + e->bus_first);
	return a;
}

static u64 ecam_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	u64 value = 0;
	u8 i, n;

	for (i = 0; i < size && i < sizeof(value); i = (u8)(i + n)) {
		u64 at = offset + i;

		n = piece(at, (u8)(size - i));
		value |= (u64)config_read(passthrough_of(v->vm),
					  ecam_address(dev, at), n)
			 << i * 8;
	}
	return value;
}

static void ecam_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	u8 i, n;

	for (i = 0; i < size && i < sizeof(value); i = (u8)(i + n)) {
		u64 at = offset + i;

		n = piece(at, (u8)(size - i));
		config_write(passthrough_of(v->vm), ecam_address(dev, at), n,
			     (u32)(value >> i * 8));
	}
}

static u64 address_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	const struct passthrough *pci = dev;

	if (size == 1 && offset == RST_CNT - PCI_PORT_ADDRESS)
		return port_read(RST_CNT, 1);
	if (size != 4)
		return ones_of(size);
	return READ_ONCE(pci->address);
}

/* Only a dword is the address register; CF9h is the reset control register */
static void address_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			  u64 value)
{
	struct passthrough *pci = dev;

	if (size == 4)
		WRITE_ONCE(pci->address, (u32)value);
	else if (size == 1 && offset == RST_CNT - PCI_PORT_ADDRESS &&
		 !vpower_cf9_write(v->vm, (u8)value))
		port_write(RST_CNT, 1, (u32)value);
}

static u64 data_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct passthrough *pci = dev;
	u32 address = READ_ONCE(pci->address), value = 0;
	u8 i, n;

	if (!(address & PCI_ADDRESS_ENABLE))
		return ones_of(size);
	for (i = 0; i < size && i < sizeof(value); i = (u8)(i + n)) {
		u32 at = (u32)offset + i;

		n = piece(at, (u8)(size - i));
		value |= config_read(pci, pci_port_split(address, at), n)
			 << i * 8;
	}
	return value;
}

static void data_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct passthrough *pci = dev;
	u32 address = READ_ONCE(pci->address);
	u8 i, n;

	if (!(address & PCI_ADDRESS_ENABLE))
		return;
	for (i = 0; i < size && i < sizeof(value); i = (u8)(i + n)) {
		u32 at = (u32)offset + i;

		n = piece(at, (u8)(size - i));
		config_write(pci, pci_port_split(address, at), n,
			     (u32)(value >> i * 8));
	}
}

static int ports_add(struct passthrough *pci)
{
	const struct bus_region regions[] = {
		{ PCI_PORT_ADDRESS, 4, "pci address", address_read,
		  address_write, pci },
		{ PCI_PORT_DATA, 4, "pci data", data_read, data_write, pci },
	};
	u32 i;
	int err;

	for (i = 0; i < ARRAY_SIZE(regions); i++) {
		err = bus_add(&pci->vm->ports, &regions[i]);
		if (err)
			return err;
	}
	return 0;
}

static int ecam_add(struct vm *vm)
{
	u32 i;
	int err;

	for (i = 0; i < acpi.ecam_count; i++) {
		struct acpi_ecam *e = &acpi.ecam[i];
		const struct bus_region region = {
			.base = e->base + e->bus_first * PCI_ECAM_BUS_BYTES,
			.size = (e->bus_last - e->bus_first + 1u) *
				PCI_ECAM_BUS_BYTES,
			.name = "ecam",
			.read = ecam_read,
			.write = ecam_write,
			.dev = e,
		};

		err = bus_add(&vm->mmio, &region);
		if (err)
			return err;
	}
	return 0;
}

static void func_free(struct vfunc *f)
{
	passthrough_msi_release(f);
	passthrough_msix_release(f);
	kmem_free(&f->pci->vm->budget, f, sizeof(*f));
}

static void passthrough_destroy(struct vm *vm)
{
	struct passthrough *pci = passthrough_of(vm);

	for (u32 i = 0; i < PASSTHROUGH_HASH; i++)
		while (pci->hash[i]) {
			struct vfunc *f = pci->hash[i];

			pci->hash[i] = f->next;
			func_free(f);
		}
	kmem_free(&vm->budget, pci, sizeof(*pci));
}

static int passthrough_create(struct vm *vm)
{
	struct passthrough *pci = kmem_alloc(&vm->budget, sizeof(*pci));
	int err;

	if (!pci)
		return -ENOMEM;
	vm->devices[VDEV_passthrough] = pci;
	pci->vm = vm;
	err = ports_add(pci);
	if (!err)
		err = ecam_add(vm);
	if (!err)
		pci_scan(func_found, pci);
	return err;
}

const struct vdev passthrough_vdev = {
	.name = "PCI passthrough",
	.create = passthrough_create,
	.destroy = passthrough_destroy,
};
