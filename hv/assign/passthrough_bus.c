/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bridges that get other bus numbers (PCI-to-PCI Bridge 1.2, 3.2.5). What is
 * behind one answers at other addresses then, or at none, with all that was
 * turned on in it; and it is known at the old address, with a trap where its
 * table is. So it is turned off first, as a reset would do. At the new address
 * it is found like any other, and the trap at the old one is in nobody's way.
 * Kernels do this before they start drivers. Called with passthrough.lock held.
 */
#include "hv/assign/passthrough_priv.h"
#include "include/hw/pci.h"

struct buses {
	u16 segment;
	u8 first, last;
};

bool passthrough_is_bus_number(const struct vfunc *f, u32 offset, u8 size)
{
	return f->bridge && offset <= PCI_SUBORDINATE_BUS &&
	       offset + size > PCI_SECONDARY_BUS;
}

static struct buses buses_of(const struct vfunc *bridge)
{
	return (struct buses){
		bridge->bdf.segment,
		(u8)pci_read(bridge->bdf, PCI_SECONDARY_BUS, 1),
		(u8)pci_read(bridge->bdf, PCI_SUBORDINATE_BUS, 1),
	};
}

static void clear(const struct vfunc *f, u32 offset, u32 bits)
{
	u32 value = pci_read(f->bdf, (u16)offset, 2);

	if (value & bits)
		pci_write(f->bdf, (u16)offset, 2, value & ~bits);
}

static void turn_off(struct vfunc *f)
{
	passthrough_sriov_silence(f);
	if (f->msi.cap)
		clear(f, f->msi.cap + PCI_MSI_CONTROL, PCI_MSI_ENABLE);
	if (f->msix.cap)
		clear(f, f->msix.cap + PCI_MSIX_CONTROL, PCI_MSIX_ENABLE);
	if (f->msix.count)
		clear(f, PCI_COMMAND, PCI_COMMAND_MEMORY);
}

/* One that does not answer is left as it is known: it is in the middle of a
 * reset, or it has left. A VF goes with its PF. */
static void lose(struct vfunc *f)
{
	if (f->is_vf || f->kept || !passthrough_func_present(f))
		return;
	turn_off(f);
	f->decode_due = false;
	f->msix.left = 0;
	f->lost = true;
}

static void lose_all(const struct passthrough *pci, struct buses b)
{
	for (u32 i = 0; i < PASSTHROUGH_HASH; i++)
		for (struct vfunc *f = pci->hash[i]; f; f = f->next)
			if (!f->lost && f->bdf.segment == b.segment &&
			    f->bdf.bus >= b.first && f->bdf.bus <= b.last)
				lose(f);
}

/* The byte at @at behind a write of @value; @was before it */
static u8 byte_of(u32 at, u8 was, u32 offset, u8 size, u32 value)
{
	if (at < offset || at >= offset + size)
		return was;
	return (u8)(value >> (at - offset) * 8);
}

void passthrough_bus_write(struct vfunc *f, u32 offset, u8 size, u32 value)
{
	struct buses was = buses_of(f);
	u8 first = byte_of(PCI_SECONDARY_BUS, was.first, offset, size, value);
	u8 last = byte_of(PCI_SUBORDINATE_BUS, was.last, offset, size, value);

	/* More buses at the end move nothing, and to bus 0 no bridge leads */
	if (was.first && (first != was.first || last < was.last))
		lose_all(f->pci, was);
	pci_write(f->bdf, (u16)offset, size, value);
}
