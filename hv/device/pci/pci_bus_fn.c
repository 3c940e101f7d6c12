/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes a function of bus 0: its configuration space, what of it can be
 * written, its slot. Called by the functions' devices while the VM is built, so
 * without the bus's lock.
 */
#include "hv/device/pci/pci_bus_priv.h"
#include "include/hw/pci.h"
#include "lib/errno.h"
#include "lib/string.h"

#define COMMAND_BITS                                                           \
	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |            \
	 PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_OFF)
#define STATUS_CLEAR 0xf9u /* high byte of the status register */

void pci_bus_define(struct pci_fn *f, u32 offset, u8 size, u64 value, u64 mask)
{
	u8 *power_on = f->clear + PAGE_SIZE;

	memcpy(&f->config[offset], &value, size);
	memcpy(&power_on[offset], &value, size);
	memcpy(&f->mask[offset], &mask, size);
}

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
		pci_bus_define(zero->f, PCI_HEADER_TYPE, 1, type, 0);
	}
}

static void define_generic(struct pci_fn *f, const u8 header[64])
{
	for (u32 i = 0; i < 64; i++)
		pci_bus_define(f, i, 1, header[i], 0);
	f->mask[PCI_COMMAND] = (u8)COMMAND_BITS;
	f->mask[PCI_COMMAND + 1] = (u8)(COMMAND_BITS >> 8);
	f->clear[PCI_STATUS + 1] = STATUS_CLEAR;
	f->mask[PCI_CACHE_LINE] = 0xff;
	f->mask[PCI_INTERRUPT_LINE] = 0xff;
	pci_bus_bar_init(f);
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
	s->pages = pmm_alloc_bytes(&f->vm->budget, PCI_BUS_FN_BYTES);
	if (!s->pages)
		return -ENOMEM;
	f->config = s->pages;
	f->mask = f->config + PAGE_SIZE;
	f->clear = f->mask + PAGE_SIZE;
	define_generic(f, header);
	s->f = f;
	s->devfn = f->devfn;
	bus->index[f->devfn] = (u8)bus->count++;
	mark_multifunction(bus, f->devfn);
	return 0;
}
