/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bus 0 of an isolated guest: config space by CF8h/CFCh (PCI 3.0, 3.2.2.3.2)
 * and by ECAM, and the PCI hole. An access there goes to what the guest's
 * registers put there: ECAM first, then a BAR, else to nobody, which reads as
 * ones. RAM comes before all of it, as its pages never trap.
 *
 * Called from exits, on any core. The bus's lock protects everything in struct
 * pci_bus and every function's config[]. A function's own lock comes before it,
 * the interrupt controllers' locks after it.
 */
#include "hv/device/pci/pci_bus.h"

#include "drivers/pci/address.h"
#include "hv/core/pc_map.h"
#include "hv/core/vcpu.h"
#include "hv/device/pci/pci_bus_priv.h"
#include "include/hw/pci.h"
#include "include/hw/q35.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/string.h"

#define CF9_OFFSET         (RST_CNT - PCI_PORT_ADDRESS)
#define RESET_CONTROL_BITS (RST_CNT_SYS_RST | RST_CNT_FULL_RST)
/* Bits 30:24 and 1:0 of CF8h are wired to zero */
#define ADDRESS_BITS (PCI_ADDRESS_ENABLE | 0x00fffffcu)

/* --- config space --- */

/* NULL: the guest finds none there */
static struct pci_bus_slot *present(struct pci_bus *bus, u8 devfn)
{
	struct pci_bus_slot *s = pci_bus_slot_of(bus, devfn);

	return s && !s->f->absent ? s : NULL;
}

/* @offset + @size does not pass the end of the function's space */
static u64 config_read(struct pci_bus *bus, u8 devfn, u32 offset, u8 size)
{
	u64 value = ones_of(size);
	struct pci_bus_slot *s;

	spin_lock(&bus->lock);
	s = present(bus, devfn);
	if (s)
		value = pci_fn_config_read(s->f, offset, size);
	spin_unlock(&bus->lock);
	if (s && s->f->ops && s->f->ops->config_read)
		value = s->f->ops->config_read(s->f, offset, size, value);
	return value;
}

static void config_write(struct pci_bus *bus, u8 devfn, u32 offset, u8 size,
			 u64 value)
{
	struct pci_bus_slot *s;

	spin_lock(&bus->lock);
	s = present(bus, devfn);
	if (s) {
		pci_fn_config_write(s->f, offset, size, value);
		if (offset < PCI_COMMAND + 2 && offset + size > PCI_COMMAND)
			pci_bus_irq_update(bus);
	}
	spin_unlock(&bus->lock);
	if (s && s->f->ops && s->f->ops->config_written)
		s->f->ops->config_written(s->f, offset, size);
}

/* --- CF8h to CFFh --- */

/* Only a dword accesses the address register. A byte at CF9h is the reset
 * control register (ICH9 13.7.5); others are other devices'. */
static u64 address_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct pci_bus *bus = dev;

	if (size == 1 && offset == CF9_OFFSET)
		return READ_ONCE(bus->reset_control);
	return size == 4 ? READ_ONCE(bus->address) : ones_of(size);
}

static void address_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			  u64 value)
{
	struct pci_bus *bus = dev;

	if (size == 4)
		WRITE_ONCE(bus->address, (u32)value & ADDRESS_BITS);
	if (size != 1 || offset != CF9_OFFSET)
		return;
	WRITE_ONCE(bus->reset_control, (u8)value & RESET_CONTROL_BITS);
	if (value & RST_CNT_RST_CPU)
		vm_end(v->vm, VM_END_RESET, "it reset itself");
}

/* What CF8h and the byte behind CFCh select; false: nothing, or not bus 0 */
static bool port_selects(const struct pci_bus *bus, u64 offset,
			 struct pci_address *a)
{
	u32 address = READ_ONCE(bus->address);

	*a = pci_port_split(address, (u32)offset);
	return address & PCI_ADDRESS_ENABLE && !a->bdf.bus;
}

static u64 data_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct pci_address a;

	if (!port_selects(dev, offset, &a))
		return ones_of(size);
	return config_read(dev, a.bdf.devfn, a.reg, size);
}

static void data_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct pci_address a;

	if (port_selects(dev, offset, &a))
		config_write(dev, a.bdf.devfn, a.reg, size, value);
}

/* --- the PCI hole and the I/O window --- */

enum claim { CLAIM_NONE, CLAIM_ECAM, CLAIM_BAR };

struct target {
	enum claim claim;
	struct pci_fn *f; /* BAR */
	u32 bar;
	u64 offset; /* in the BAR, or in ECAM */
};

static struct target find_target(struct pci_bus *bus, bool io, u64 addr,
				 u8 size)
{
	struct target t = { .claim = CLAIM_NONE };

	spin_lock(&bus->lock);
	if (!io && addr >= bus->ecam && addr - bus->ecam < bus->ecam_size) {
		t.claim = CLAIM_ECAM;
		t.offset = addr - bus->ecam;
	} else {
		t.f = pci_bus_bar_find(bus, io, addr, size, &t.bar, &t.offset);
		t.claim = t.f ? CLAIM_BAR : CLAIM_NONE;
	}
	spin_unlock(&bus->lock);
	return t;
}

/* We have bus 0, and an access stays within a function's page */
static bool ecam_selects(const struct target *t, u8 size, struct pci_address *a)
{
	*a = pci_ecam_split(t->offset);
	return t->offset < PCI_ECAM_BUS_BYTES &&
	       a->reg + size <= PCI_ECAM_BYTES;
}

static u64 target_read(struct vcpu *v, struct pci_bus *bus,
		       const struct target *t, u8 size)
{
	struct pci_address a;

	if (t->claim == CLAIM_ECAM && ecam_selects(t, size, &a))
		return config_read(bus, a.bdf.devfn, a.reg, size);
	if (t->claim == CLAIM_BAR && t->f->ops && t->f->ops->bar_read)
		return t->f->ops->bar_read(v, t->f, t->bar, t->offset, size);
	return ones_of(size);
}

static void target_write(struct vcpu *v, struct pci_bus *bus,
			 const struct target *t, u8 size, u64 value)
{
	struct pci_address a;

	if (t->claim == CLAIM_ECAM && ecam_selects(t, size, &a))
		config_write(bus, a.bdf.devfn, a.reg, size, value);
	if (t->claim == CLAIM_BAR && t->f->ops && t->f->ops->bar_write)
		t->f->ops->bar_write(v, t->f, t->bar, t->offset, size, value);
}

static u64 hole_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct target t = find_target(dev, false, PC_PCI_HOLE + offset, size);

	return target_read(v, dev, &t, size);
}

static void hole_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct target t = find_target(dev, false, PC_PCI_HOLE + offset, size);

	target_write(v, dev, &t, size, value);
}

static u64 io_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct target t = find_target(dev, true, PC_PCI_IO + offset, size);

	return target_read(v, dev, &t, size);
}

static void io_write(struct vcpu *v, void *dev, u64 offset, u8 size, u64 value)
{
	struct target t = find_target(dev, true, PC_PCI_IO + offset, size);

	target_write(v, dev, &t, size, value);
}

int pci_bus_io_window_add(struct pci_bus *bus)
{
	const struct bus_region window = {
		.base = PC_PCI_IO,
		.size = PC_PCI_IO_END - PC_PCI_IO,
		.name = "PCI I/O",
		.read = io_read,
		.write = io_write,
		.dev = bus,
	};
	const struct bus_region *r = bus_find(&bus->vm->ports, PC_PCI_IO);

	return r && r->read == io_read ? 0 : bus_add(&bus->vm->ports, &window);
}

void pci_bus_set_ecam(struct vm *vm, u64 base, u64 size)
{
	struct pci_bus *bus = pci_bus_of(vm);

	spin_lock(&bus->lock);
	bus->ecam = base;
	bus->ecam_size = size;
	spin_unlock(&bus->lock);
}

/* --- life --- */

static void pci_bus_reset(struct vm *vm)
{
	struct pci_bus *bus = pci_bus_of(vm);

	spin_lock(&bus->lock);
	bus->address = 0;
	bus->reset_control = 0;
	for (u32 i = 0; i < bus->count; i++) {
		struct pci_bus_slot *s = &bus->slots[i];

		pci_fn_power_on(s->f);
		s->intx = 0;
	}
	pci_bus_irq_update(bus);
	spin_unlock(&bus->lock);
	for (u32 i = 0; i < bus->count; i++)
		if (bus->slots[i].f->ops && bus->slots[i].f->ops->reset)
			bus->slots[i].f->ops->reset(bus->slots[i].f);
}

static int add_regions(struct pci_bus *bus)
{
	const struct bus_region ports[] = {
		{ .base = PCI_PORT_ADDRESS,
		  .size = 4,
		  .name = "PCI address",
		  .read = address_read,
		  .write = address_write,
		  .dev = bus },
		{ .base = PCI_PORT_DATA,
		  .size = 4,
		  .name = "PCI data",
		  .read = data_read,
		  .write = data_write,
		  .dev = bus },
	};
	const struct bus_region hole = {
		.base = PC_PCI_HOLE,
		.size = PC_PCI_HOLE_END - PC_PCI_HOLE,
		.name = "PCI",
		.read = hole_read,
		.write = hole_write,
		.dev = bus,
	};
	int err = bus_add(&bus->vm->mmio, &hole);

	for (u32 i = 0; i < ARRAY_SIZE(ports) && !err; i++)
		err = bus_add(&bus->vm->ports, &ports[i]);
	return err;
}

static int pci_bus_create(struct vm *vm)
{
	struct pci_bus *bus = kmem_alloc(&vm->budget, sizeof(*bus));

	if (!bus)
		return -ENOMEM;
	bus->vm = vm;
	memset(bus->index, PCI_BUS_NO_SLOT, sizeof(bus->index));
	memset(bus->isa, PCI_BUS_NO_ISA, sizeof(bus->isa));
	vm->devices[VDEV_pci_bus] = bus;
	return add_regions(bus);
}

static void pci_bus_destroy(struct vm *vm)
{
	struct pci_bus *bus = pci_bus_of(vm);

	for (u32 i = 0; i < bus->count; i++)
		kmem_free(&vm->budget, bus->slots[i].pages, PCI_BUS_FN_BYTES);
	kmem_free(&vm->budget, bus, sizeof(*bus));
}

const struct vdev pci_bus_vdev = {
	.name = "PCI",
	.create = pci_bus_create,
	.destroy = pci_bus_destroy,
	.reset = pci_bus_reset,
};
