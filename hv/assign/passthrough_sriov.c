/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual functions (PCIe 4.0, 9 *Single Root I/O Virtualization and Sharing*).
 * A VF has configuration space of its own, with MSI and MSI-X, but no ids, BARs
 * and memory enable: those are in the capability of its physical function. It
 * is known from the guest's first access to it. Its MSI-X is off until then,
 * and comes on only behind the trap of its table, like any other.
 *
 * Where VFs and their BARs are is read when VF Enable is set, and cannot change
 * while it is: the specification leaves it undefined, so such writes are lost.
 * VF Enable itself goes to the hardware at once, and nobody waits for the VFs
 * here. What the guest reads too early is not there. Called with
 * passthrough.lock held, or while the VM is built.
 */
#include "arch/x86/machine/tsc.h"
#include "hv/assign/passthrough_priv.h"
#include "include/hw/pci.h"

#define NO_ANSWER 0xffffu
/* Until then no request may be sent to a VF (PCIe 4.0, 9.3.3.3.1 *VF Enable*).
 * What waits for it began to after us. */
#define READY_NS 100000000u

static u16 cap_read(const struct vfunc *f, u32 offset)
{
	return (u16)pci_read(f->bdf, (u16)(f->sriov.cap + offset), 2);
}

static u16 control_read(const struct vfunc *f)
{
	return cap_read(f, PCI_SRIOV_CONTROL);
}

/* Those that nobody has touched yet are no functions of ours */
static void vfs_drop(struct vfunc *pf)
{
	pf->sriov.on = false;
	for (u32 i = 0; i < PASSTHROUGH_HASH; i++)
		for (struct vfunc *f = pf->pci->hash[i]; f; f = f->next)
			if (f->pf == pf)
				f->pf = NULL;
}

/* A PF that was reset has no VFs any more. One that does not answer may be in
 * the middle of it. */
static void settle(struct vfunc *f)
{
	u16 control = control_read(f);

	if (f->sriov.on && control != NO_ANSWER &&
	    !(control & PCI_SRIOV_VF_ENABLE))
		vfs_drop(f);
}

static u32 bar_read(const struct vfunc *f, u32 i)
{
	return pci_read(f->bdf, (u16)(f->sriov.cap + PCI_SRIOV_VF_BAR0 + i * 4),
			4);
}

static void bar_write(const struct vfunc *f, u32 i, u32 value)
{
	pci_write(f->bdf, (u16)(f->sriov.cap + PCI_SRIOV_VF_BAR0 + i * 4), 4,
		  value);
}

/* The address bits of register @i that can be set. VFs are off. */
static u32 bar_mask(const struct vfunc *f, u32 i)
{
	u32 was = bar_read(f, i), mask;

	bar_write(f, i, ~0u);
	mask = bar_read(f, i);
	bar_write(f, i, was);
	return mask;
}

/* Returns how many registers the BAR takes (PCIe 4.0, 9.3.3.14 *VF BAR0*) */
static u32 bar_learn(struct vfunc *f, u32 i)
{
	struct vf_bar *bar = &f->sriov.bars[i];
	u32 low = bar_read(f, i);
	bool is_64 =
		(low & PCI_BAR_TYPE) == PCI_BAR_64 && i + 1 < PCI_BAR_COUNT;
	u64 mask = bar_mask(f, i) & PCI_BAR_MEM_MASK;

	bar->base = low & PCI_BAR_MEM_MASK;
	if (is_64) {
		bar->base |= (u64)bar_read(f, i + 1) << 32;
		mask |= (u64)bar_mask(f, i + 1) << 32;
	} else if (mask) {
		mask |= 0xffffffffull << 32;
	}
	/* The lowest bit that can be set */
	bar->size = low & PCI_BAR_IO ? 0 : mask & -mask;
	return is_64 ? 2 : 1;
}

static void bars_learn(struct vfunc *f)
{
	u32 i = 0;

	for (u32 n = 0; n < PCI_BAR_COUNT; n++)
		f->sriov.bars[n] = (struct vf_bar){ 0, 0 };
	while (i < PCI_BAR_COUNT)
		i += bar_learn(f, i);
}

/* First VF Offset and VF Stride depend on what is set (PCIe 4.0, 9.3.3.9) */
static void places_learn(struct vfunc *f)
{
	f->sriov.count = MIN(cap_read(f, PCI_SRIOV_NUM_VFS),
			     cap_read(f, PCI_SRIOV_TOTAL_VFS));
	f->sriov.offset = cap_read(f, PCI_SRIOV_VF_OFFSET);
	f->sriov.stride = cap_read(f, PCI_SRIOV_VF_STRIDE);
	f->sriov.on = true;
}

bool passthrough_sriov_is_early(const struct vfunc *pf)
{
	return rdtsc() - pf->sriov.since < ns_to_tsc(READY_NS);
}

void passthrough_sriov_silence(struct vfunc *f)
{
	const u16 bits = PCI_SRIOV_VF_ENABLE | PCI_SRIOV_VF_MEMORY;
	u16 control;

	if (!f->sriov.cap)
		return;
	control = control_read(f);
	if (control & bits)
		pci_write(f->bdf, (u16)(f->sriov.cap + PCI_SRIOV_CONTROL), 2,
			  control & ~(u32)bits);
	vfs_drop(f);
}

void passthrough_sriov_init(struct vfunc *f)
{
	if (!f->sriov.cap)
		return;
	passthrough_sriov_silence(f);
	f->sriov.next = f->pci->with_vfs;
	f->pci->with_vfs = f;
}

void passthrough_sriov_forget(struct vfunc *f)
{
	struct vfunc **link = &f->pci->with_vfs;

	if (!f->sriov.cap)
		return;
	vfs_drop(f);
	while (*link && *link != f)
		link = &(*link)->sriov.next;
	if (*link)
		*link = f->sriov.next;
	f->sriov.cap = 0;
}

static bool is_rebar(const struct vfunc *f, u32 offset)
{
	return f->sriov.rebar &&
	       offset - (f->sriov.rebar + PCI_REBAR_FIRST) < PCI_REBAR_BYTES;
}

bool passthrough_sriov_has(const struct vfunc *f, u32 offset)
{
	return f->sriov.cap &&
	       (offset - f->sriov.cap < PCI_SRIOV_BYTES || is_rebar(f, offset));
}

/* Tables that were out of reach are written before MSI-X is on again */
static bool tables_renew(const struct vfunc *pf)
{
	bool any = false;

	for (u32 i = 0; i < PASSTHROUGH_HASH; i++)
		for (struct vfunc *f = pf->pci->hash[i]; f; f = f->next) {
			if (f->pf != pf || !f->msix.enabled || !f->msix.table)
				continue;
			f->msix.left = f->msix.count;
			any = true;
		}
	return any;
}

/* A write with the low byte of the control register */
static bool control_write(struct vfunc *f, u32 offset, u8 size, u32 value)
{
	u16 was = control_read(f);
	bool on = value & PCI_SRIOV_VF_ENABLE, renew = false;

	if (on && f->sriov.on)
		value = (value & ~PCI_SRIOV_ARI) | (was & PCI_SRIOV_ARI);
	else if (on)
		bars_learn(f);
	if (f->sriov.on && value & ~was & PCI_SRIOV_VF_MEMORY)
		renew = tables_renew(f);
	if (on && !f->sriov.on)
		f->sriov.since = rdtsc();
	pci_write(f->bdf, (u16)offset, size, value);
	if (on && !f->sriov.on)
		places_learn(f);
	if (!on && f->sriov.on)
		vfs_drop(f);
	return renew;
}

bool passthrough_sriov_write(struct vfunc *f, u32 offset, u8 size, u32 value)
{
	u32 at = offset - f->sriov.cap;

	settle(f);
	if (at == PCI_SRIOV_CONTROL)
		return control_write(f, offset, size, value);
	/* Control's upper byte and status have nothing that moves */
	if (!f->sriov.on || at / 4 == PCI_SRIOV_CONTROL / 4)
		pci_write(f->bdf, (u16)offset, size, value);
	return false;
}

static u32 requester(struct pci_bdf bdf)
{
	return (u32)bdf.bus << 8 | bdf.devfn;
}

/* PCIe 4.0, 9.2.1.2 *VF Discovery*: their buses may be others than the PF's */
static bool has_vf(const struct vfunc *f, struct pci_bdf bdf, u16 *index)
{
	u32 n = requester(bdf) - requester(f->bdf) - f->sriov.offset;

	if (!f->sriov.on || f->bdf.segment != bdf.segment)
		return false;
	if (n && (!f->sriov.stride || n % f->sriov.stride))
		return false;
	n = n ? n / f->sriov.stride : 0;
	*index = (u16)n;
	return n < f->sriov.count;
}

struct vfunc *passthrough_sriov_owner(struct passthrough *pci,
				      struct pci_bdf bdf, u16 *index)
{
	for (struct vfunc *f = pci->with_vfs; f; f = f->sriov.next) {
		if (!has_vf(f, bdf, index))
			continue;
		settle(f);
		if (f->sriov.on)
			return f;
	}
	return NULL;
}

bool passthrough_vf_is_gone(const struct vfunc *f)
{
	u16 control;

	if (!f->pf)
		return true;
	control = control_read(f->pf);
	return control != NO_ANSWER && !(control & PCI_SRIOV_VF_ENABLE);
}

bool passthrough_vf_decodes(const struct vfunc *f)
{
	const u16 bits = PCI_SRIOV_VF_ENABLE | PCI_SRIOV_VF_MEMORY;

	return f->pf && (control_read(f->pf) & bits) == bits;
}

u64 passthrough_vf_table_address(const struct vfunc *f)
{
	u64 end = f->msix.offset + f->msix.count * PCI_MSIX_ENTRY_BYTES;
	const struct vf_bar *b;

	if (!f->pf)
		return 0;
	b = &f->pf->sriov.bars[f->msix.bar];
	/* All of it is in the part of the BAR that is this VF's */
	if (!b->base || end > b->size)
		return 0;
	return b->base + f->vf_index * b->size + f->msix.offset;
}
