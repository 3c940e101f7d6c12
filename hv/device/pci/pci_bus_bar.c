/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Base address registers (PCI 3.0, 6.2.5 *Base Addresses*). A BAR's address
 * bits below its size are wired to zero, so that sizing needs no code. What a
 * BAR decodes is read from config[] each time. Called under the bus's lock.
 */
#include "hv/device/pci/pci_bus_priv.h"
#include "include/hw/pci.h"
#include "lib/string.h"

#define BAR_PREFETCH 0x8u

static u32 bar_offset(u32 i)
{
	return PCI_BAR0 + i * 4;
}

static u64 bar_flags(const struct pci_fn *f, u32 i)
{
	if (f->bar[i].io)
		return PCI_BAR_IO;
	return (f->bar[i].is_64 ? PCI_BAR_64 : 0) |
	       (f->bar[i].prefetch ? BAR_PREFETCH : 0);
}

static u8 bar_bytes(const struct pci_fn *f, u32 i)
{
	return f->bar[i].is_64 ? 8 : 4;
}

static u64 bar_mask(const struct pci_fn *f, u32 i)
{
	u64 low = f->bar[i].io ? PCI_BAR_IO_MASK : PCI_BAR_MEM_MASK;

	return ~(f->bar[i].size - 1) & (low | BITS(63, 32));
}

void pci_bus_bar_init(struct pci_fn *f)
{
	for (u32 i = 0; i < PCI_FN_BARS; i++)
		if (f->bar[i].size)
			pci_bus_define(f, bar_offset(i), bar_bytes(f, i),
				       bar_flags(f, i), bar_mask(f, i));
}

static bool bar_decodes(const struct pci_fn *f, u32 i)
{
	u8 enable = f->bar[i].io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

	return f->bar[i].size && f->config[PCI_COMMAND] & enable;
}

static u64 bar_base(const struct pci_fn *f, u32 i)
{
	u64 value = 0;

	memcpy(&value, &f->config[bar_offset(i)], bar_bytes(f, i));
	return value & bar_mask(f, i);
}

/* A BAR at 0 decodes nothing: nobody has placed it yet */
static bool bar_claims(const struct pci_fn *f, u32 i, bool io, u64 addr,
		       u8 size, u64 *offset)
{
	u64 base = bar_base(f, i);

	if (f->bar[i].io != io || !bar_decodes(f, i) || !base)
		return false;
	*offset = addr - base;
	return *offset < f->bar[i].size && size <= f->bar[i].size - *offset;
}

struct pci_fn *pci_bus_bar_find(const struct pci_bus *bus, bool io, u64 addr,
				u8 size, u32 *bar, u64 *offset)
{
	for (u32 n = 0; n < bus->count; n++)
		for (*bar = 0; *bar < PCI_FN_BARS; ++*bar)
			if (bar_claims(bus->slots[n].f, *bar, io, addr, size,
				       offset))
				return bus->slots[n].f;
	return NULL;
}
