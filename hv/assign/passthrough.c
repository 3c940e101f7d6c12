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
#include "lib/log.h"

static struct passthrough *passthrough_of(const struct vm *vm)
{
	return vm->devices[VDEV_passthrough];
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
		return passthrough_read(f, offset, size);
	return value >> (offset & 3) * 8 & (u32)ones_of(size);
}

static u32 merge(u32 old, u32 offset, u8 size, u32 value)
{
	u32 shift = (offset & 3) * 8;

	return (u32)merge_bits(old, (u64)value << shift,
			       ones_of(size) << shift);
}

/* True: there is more to do for the vCPU (VE_ASSIGN) */
static bool func_write(struct vcpu *v, struct vfunc *f, u32 offset, u8 size,
		       u32 value)
{
	int word = msi_word(f, offset);

	if (word >= 0)
		passthrough_msi_write(f, (u32)word,
				      merge(passthrough_msi_read(f, (u32)word),
					    offset, size, value));
	else if (is_msix_control(f, offset))
		passthrough_msix_control_write(
			f, merge(passthrough_msix_control_read(f), offset, size,
				 value));
	else if (passthrough_write_is_refused(f, offset, size))
		return false;
	else if (passthrough_is_bus_number(f, offset, size))
		passthrough_bus_write(v, f, offset, size, value);
	else if (passthrough_sriov_has(f, offset))
		return passthrough_sriov_write(f, offset, size, value);
	else
		passthrough_write(f, offset, size, value);
	return false;
}

/* Drops the lock, and does what a look at @f, or a write to it, has begun. It
 * may be NULL. */
static void config_done(struct vcpu *v, struct vfunc *f)
{
	struct passthrough *pci = passthrough_of(v->vm);
	bool follow = f && f->decode_due;

	spin_unlock(&pci->lock);
	if (follow)
		passthrough_follow(f);
	if ((f && READ_ONCE(f->msix.left)) || READ_ONCE(pci->draining))
		vcpu_post(v, VE_ASSIGN);
}

static u32 config_read(struct vcpu *v, struct pci_address a, u8 size)
{
	struct passthrough *pci = passthrough_of(v->vm);
	struct virtual_slot *own = passthrough_virtual_at(pci, a.bdf);
	u32 value = (u32)ones_of(size);
	struct vfunc *f;

	if (own)
		return passthrough_virtual_read(pci, own, a, size);
	f = passthrough_func_lock(pci, a.bdf);
	if (f)
		value = func_read(f, a.reg, size) & (u32)ones_of(size);
	config_done(v, f); /* it may be new */
	return value;
}

static void config_write(struct vcpu *v, struct pci_address a, u8 size,
			 u32 value)
{
	struct passthrough *pci = passthrough_of(v->vm);
	struct virtual_slot *own = passthrough_virtual_at(pci, a.bdf);
	struct vfunc *f;

	if (own) {
		passthrough_virtual_write(pci, own, a, size, value);
		return;
	}
	f = passthrough_func_lock(pci, a.bdf);
	if (f && func_write(v, f, a.reg, size, value))
		vcpu_post(v, VE_ASSIGN);
	config_done(v, f);
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
		value |= (u64)config_read(v, ecam_address(dev, at), n) << i * 8;
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
		config_write(v, ecam_address(dev, at), n,
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
	const struct passthrough *pci = dev;
	u32 address = READ_ONCE(pci->address), value = 0;
	u8 i, n;

	if (!(address & PCI_ADDRESS_ENABLE))
		return ones_of(size);
	for (i = 0; i < size && i < sizeof(value); i = (u8)(i + n)) {
		u32 at = (u32)offset + i;

		n = piece(at, (u8)(size - i));
		value |= config_read(v, pci_port_split(address, at), n)
			 << i * 8;
	}
	return value;
}

static void data_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	const struct passthrough *pci = dev;
	u32 address = READ_ONCE(pci->address);
	u8 i, n;

	if (!(address & PCI_ADDRESS_ENABLE))
		return;
	for (i = 0; i < size && i < sizeof(value); i = (u8)(i + n)) {
		u32 at = (u32)offset + i;

		n = piece(at, (u8)(size - i));
		config_write(v, pci_port_split(address, at), n,
			     (u32)(value >> i * 8));
	}
}

static int ports_add(struct passthrough *pci)
{
	const struct bus_region regions[] = {
		{ .base = PCI_PORT_ADDRESS,
		  .size = 4,
		  .name = "pci address",
		  .read = address_read,
		  .write = address_write,
		  .dev = pci },
		{ .base = PCI_PORT_DATA,
		  .size = 4,
		  .name = "pci data",
		  .read = data_read,
		  .write = data_write,
		  .dev = pci },
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

		if (e->unused)
			continue;
		err = bus_add(&vm->mmio, &region);
		if (err == -EEXIST)
			log_warn("pci",
				 "configuration space at %#llx is where "
				 "another device is: it is not used",
				 region.base);
		else if (err)
			return err;
	}
	return 0;
}

static u64 bus_writes_bytes(const struct vm *vm)
{
	return vm->vcpu_count * sizeof(struct bus_write);
}

static void passthrough_destroy(struct vm *vm)
{
	struct passthrough *pci = passthrough_of(vm);

	passthrough_funcs_free(pci);
	pmm_free_bytes(&vm->budget, pci->bus_writes, bus_writes_bytes(vm));
	passthrough_virtuals_free(pci);
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
	pci->bus_writes = pmm_alloc_bytes(&vm->budget, bus_writes_bytes(vm));
	if (!pci->bus_writes)
		return -ENOMEM;
	err = ports_add(pci);
	if (!err)
		err = ecam_add(vm);
	if (!err)
		pci_scan(passthrough_func_found, pci);
	return err;
}

const struct vdev passthrough_vdev = {
	.name = "PCI passthrough",
	.create = passthrough_create,
	.destroy = passthrough_destroy,
};
