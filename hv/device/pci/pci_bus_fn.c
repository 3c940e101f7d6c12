/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What puts a function on bus 0. Called by the functions' devices while the VM
 * is built, so without the bus's lock.
 */
#include "hv/device/pci/pci_bus_priv.h"
#include "include/hw/pci.h"
#include "lib/errno.h"
#include "lib/string.h"

/* A device with a function besides 0 has the bit in function 0's header
 * (PCI 3.0, 6.2.1 *Device Identification*) */
static void mark_multifunction(struct pci_bus *bus, u8 devfn)
{
	struct pci_bus_slot *zero = pci_bus_slot_of(bus, devfn & 0xf8);
	u8 type;

	for (u8 i = 1; zero && i < PCI_FUNCTIONS; i++) {
		if (!pci_bus_slot_of(bus, (u8)(zero->devfn + i)))
			continue;
		type = zero->f->config[PCI_HEADER_TYPE] | PCI_HEADER_MULTI;
		pci_fn_define(zero->f, PCI_HEADER_TYPE, 1, type, 0);
	}
}

int pci_bus_add(struct pci_fn *f, const u8 header[64])
{
	struct pci_bus *bus = pci_bus_of(f->vm);
	struct pci_bus_slot *s;
	int err = 0;

	if (pci_bus_slot_of(bus, f->devfn))
		return -EEXIST;
	if (bus->count == PCI_BUS_MAX_FNS)
		return -ENOSPC;
	for (u32 i = 0; i < PCI_FN_BARS && !err; i++)
		if (f->bar[i].size && f->bar[i].io)
			err = pci_bus_io_window_add(bus);
	if (err)
		return err;
	s = &bus->slots[bus->count];
	s->pages = kmem_alloc(&f->vm->budget, PCI_BUS_FN_BYTES);
	if (!s->pages)
		return -ENOMEM;
	f->config_bytes = PCI_BUS_CONFIG_BYTES;
	pci_fn_init(f, s->pages, header);
	s->f = f;
	s->devfn = f->devfn;
	bus->index[f->devfn] = (u8)bus->count++;
	mark_multifunction(bus, f->devfn);
	return 0;
}
