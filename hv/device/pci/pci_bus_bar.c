/* SPDX-License-Identifier: BSD-2-Clause */
/* Which function of the bus decodes an address. Called under the bus's lock. */
#include "hv/device/pci/pci_bus_priv.h"

static bool bar_claims(const struct pci_fn *f, u32 i, bool io, u64 addr,
		       u8 size, u64 *offset)
{
	u64 base = pci_fn_bar_base(f, i);

	if (f->bar[i].io != io || !base)
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
