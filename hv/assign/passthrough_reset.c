/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ladder by which a function of the machine is reset between two lives of
 * the privileged guest: by itself (FLR), by D3 and back, by its bus. One that
 * sleeps is woken before. What a reset or the end of a sleep loses and firmware
 * had set (addresses, the interrupt line, the payload size, a bridge's bus) is
 * saved before and written back. Called by passthrough_quiet.c with
 * passthrough.lock held; no vCPU of the guest runs.
 *
 * Not reset: bridges, whose registers all that is behind them depends on; what
 * shows the screen; what the hypervisor uses; and who was no bus master, and so
 * has no driver that it would work for.
 */
#include "hv/assign/passthrough_priv.h"
#include "include/hw/pci.h"

#define NO_FUNCTION 0xffffu

struct header {
	u32 count;
	u8 at[PASSTHROUGH_SAVED];
};

/* Cache line and latency, BARs, ROM, interrupt line */
static const struct header normal = {
	9,
	{ PCI_CACHE_LINE, PCI_BAR0, PCI_BAR0 + 0x04, PCI_BAR0 + 0x08,
	  PCI_BAR0 + 12, PCI_BAR0 + 0x10, PCI_BAR0 + 0x14, PCI_ROM,
	  PCI_INTERRUPT_LINE },
};

/* And of a bridge: its windows, and its bus numbers behind them */
static const struct header bridge = {
	12,
	{ PCI_CACHE_LINE, PCI_BAR0, PCI_BAR0 + 0x04, PCI_IO_WINDOW,
	  PCI_MEMORY_WINDOW, PCI_PREFETCH_WINDOW, PCI_PREFETCH_WINDOW + 0x04,
	  PCI_PREFETCH_WINDOW + 0x08, PCI_IO_WINDOW_HIGH, PCI_BRIDGE_ROM,
	  PCI_INTERRUPT_LINE, PCI_PRIMARY_BUS },
};

static const struct header *header_of(const struct vfunc *f)
{
	return f->bridge ? &bridge : &normal;
}

static u8 base_class(const struct vfunc *f)
{
	return (u8)(pci_read(f->bdf, PCI_CLASS_REVISION, 4) >> 24);
}

static bool may_reset(const struct vfunc *f)
{
	u8 class;

	if (f->kept || f->fixed || f->is_vf || f->bridge || f->vmd ||
	    !passthrough_func_present(f))
		return false;
	class = base_class(f);
	return class != PCI_CLASS_BRIDGE && class != PCI_CLASS_DISPLAY;
}

/* They say that they have FLR, and hang by it: AMD's Starship/Matisse audio,
 * host and USB controllers and FCH's SATA, Intel's 82579 NICs, MediaTek's
 * MT7922. As f->id has it: the device above the vendor. */
static const u32 hang_by_flr[] = {
	0x14871022, 0x148c1022, 0x149c1022, 0x79011022,
	0x15028086, 0x15038086, 0x061614c3,
};

static bool hangs_by_flr(const struct vfunc *f)
{
	for (u32 i = 0; i < ARRAY_SIZE(hang_by_flr); i++)
		if (hang_by_flr[i] == f->id)
			return true;
	return false;
}

static bool has_pcie_flr(const struct vfunc *f)
{
	return f->caps.pcie &&
	       pci_read(f->bdf, (u16)(f->caps.pcie + PCI_PCIE_CAPS), 4) &
		       PCI_PCIE_CAPS_FLR;
}

static bool has_af_flr(const struct vfunc *f)
{
	return f->caps.af &&
	       pci_read(f->bdf, (u16)(f->caps.af + PCI_AF_CAPS), 1) &
		       PCI_AF_CAPS_FLR;
}

static u16 pm_at(const struct vfunc *f)
{
	return (u16)(f->caps.pm + PCI_PM_CONTROL);
}

static bool has_pm_reset(const struct vfunc *f)
{
	return f->caps.pm && !(pci_read(f->bdf, pm_at(f), 2) & PCI_PM_NO_RESET);
}

void passthrough_reset_choose(struct vfunc *f)
{
	f->reset.way = RESET_NONE;
	f->reset.may = may_reset(f);
	f->reset.beside = 0;
	if (!f->reset.master || !f->reset.may)
		return;
	if (!hangs_by_flr(f) && (has_pcie_flr(f) || has_af_flr(f)))
		f->reset.way = RESET_FLR;
	else if (has_pm_reset(f))
		f->reset.way = RESET_PM;
	else if (!pci_same(f->parent, f->bdf))
		f->reset.way = RESET_BUS;
}

/* Of a PCI device with one function all eight may answer */
static bool may_be_another(const struct vfunc *f, struct pci_bdf bdf)
{
	struct pci_bdf first = bdf;

	first.devfn &= (u8)~7u;
	return !pci_function(bdf) || f->caps.pcie ||
	       pci_read(first, PCI_HEADER_TYPE, 1) & PCI_HEADER_MULTI;
}

/* Does one answer there that the guest has not met? The hypervisor's own are
 * among them, which are hidden from it. */
static bool is_unknown(const struct vfunc *f, u8 devfn)
{
	struct pci_bdf bdf = f->bdf;

	bdf.devfn = devfn;
	return (u16)pci_read(bdf, PCI_VENDOR_ID, 4) != NO_FUNCTION &&
	       !passthrough_func_known(f->pci, bdf) && may_be_another(f, bdf);
}

bool passthrough_reset_look(struct vfunc *f, const struct piece *piece)
{
	for (; f->reset.beside < PASSTHROUGH_BUS; f->reset.beside++) {
		if (is_unknown(f, (u8)f->reset.beside)) {
			f->reset.way = RESET_NONE;
			return true;
		}
		if (piece_over(piece)) {
			f->reset.beside++;
			return f->reset.beside == PASSTHROUGH_BUS;
		}
	}
	return true;
}

static bool is_beside(const struct vfunc *f, const struct vfunc *other)
{
	return f->bdf.segment == other->bdf.segment &&
	       f->bdf.bus == other->bdf.bus && !other->lost;
}

/* All functions there are known from the scan, or from the guest's accesses.
 * There may be many: none is asked again. */
static bool bus_may_reset(const struct vfunc *f)
{
	const struct passthrough *pci = f->pci;

	for (u32 i = 0; i < PASSTHROUGH_HASH; i++)
		for (const struct vfunc *o = pci->hash[i]; o; o = o->next)
			if (is_beside(f, o) && !o->is_vf && !o->reset.may)
				return false;
	return true;
}

void passthrough_reset_agree(struct vfunc *f)
{
	const struct passthrough *pci = f->pci;

	if (f->reset.way != RESET_BUS)
		return;
	if (!bus_may_reset(f)) {
		f->reset.way = RESET_NONE;
		return;
	}
	for (u32 i = 0; i < PASSTHROUGH_HASH; i++)
		for (struct vfunc *o = pci->hash[i]; o; o = o->next)
			if (is_beside(f, o) && !o->is_vf)
				o->reset.way = RESET_BUS;
}

static u16 pcie_control_at(const struct vfunc *f)
{
	return (u16)(f->caps.pcie + PCI_PCIE_CONTROL);
}

void passthrough_reset_save(struct vfunc *f)
{
	const struct header *h = header_of(f);

	for (u32 i = 0; i < h->count; i++)
		f->reset.saved[i] = pci_read(f->bdf, h->at[i], 4);
	if (f->caps.pcie)
		f->reset.pcie_control =
			(u16)pci_read(f->bdf, pcie_control_at(f), 2);
}

/* A reset forgets how large BARs were made, too (Resizable BAR), so that the
 * MSI-X table may be elsewhere than its trap: then memory stays off until the
 * next driver turns it on (command_write()) */
static u16 command_behind(const struct vfunc *f)
{
	u16 command = f->reset.command;

	if (f->msix.count && passthrough_msix_table_address(f) != f->msix.table)
		command &= (u16)~PCI_COMMAND_MEMORY;
	return command;
}

/* Decoding comes last */
static void restore(const struct vfunc *f)
{
	const struct header *h = header_of(f);

	for (u32 i = 0; i < h->count; i++)
		pci_write(f->bdf, h->at[i], 4, f->reset.saved[i]);
	if (f->caps.pcie)
		pci_write(f->bdf, pcie_control_at(f), 2,
			  f->reset.pcie_control & ~PCI_PCIE_CONTROL_FLR);
	pci_write(f->bdf, PCI_COMMAND, 2, command_behind(f));
}

static void flr(const struct vfunc *f)
{
	if (has_pcie_flr(f))
		pci_write(f->bdf, pcie_control_at(f), 2,
			  f->reset.pcie_control | PCI_PCIE_CONTROL_FLR);
	else
		pci_write(f->bdf, (u16)(f->caps.af + PCI_AF_CONTROL), 1,
			  PCI_AF_CONTROL_FLR);
}

static void power(const struct vfunc *f, u32 state)
{
	u32 value = pci_read(f->bdf, pm_at(f), 2);

	value &= ~(PCI_PM_STATE | PCI_PM_PME_STATUS);
	pci_write(f->bdf, pm_at(f), 2, value | state);
}

/* Its memory and ports are decoded as before. Only a bridge is a master again,
 * which passes on what is behind it. */
static void wake_begin(struct vfunc *f)
{
	u16 off = f->bridge ? 0 : PCI_COMMAND_MASTER;

	passthrough_reset_save(f);
	f->reset.command = (u16)(pci_read(f->bdf, PCI_COMMAND, 2) & ~off);
	power(f, 0);
	f->reset.sleep = SLEEP_ENDS;
}

static void wake_end(struct vfunc *f)
{
	if (has_pm_reset(f) && passthrough_func_present(f))
		restore(f);
	f->reset.sleep = SLEEP_OVER;
}

static bool may_wake(const struct vfunc *f)
{
	return f->reset.sleep == SLEEP_UNKNOWN && f->caps.pm &&
	       (f->bridge ? !f->kept && !f->fixed : may_reset(f));
}

/* What is behind a bridge shows when that is awake, and has its bus again */
bool passthrough_reset_wake(struct vfunc *f)
{
	if (f->lost)
		return true;
	if (f->reset.sleep == SLEEP_ENDS) {
		wake_end(f);
		return false;
	}
	if (!passthrough_func_present(f))
		return !passthrough_func_sleeps(f);
	if (!may_wake(f) || !(pci_read(f->bdf, pm_at(f), 2) & PCI_PM_STATE))
		return true;
	wake_begin(f);
	return false;
}

/* Several functions of a bus say the same to one bridge */
static void bus_reset(const struct vfunc *f, bool on)
{
	u32 value = pci_read(f->parent, PCI_BRIDGE_CONTROL, 2);

	value &= ~PCI_BRIDGE_RESET;
	pci_write(f->parent, PCI_BRIDGE_CONTROL, 2,
		  value | (on ? PCI_BRIDGE_RESET : 0));
}

void passthrough_reset_begin(struct vfunc *f)
{
	if (f->reset.way == RESET_FLR)
		flr(f);
	else if (f->reset.way == RESET_PM)
		power(f, PCI_PM_STATE_D3);
	else
		bus_reset(f, true);
}

void passthrough_reset_release(struct vfunc *f)
{
	if (f->reset.way == RESET_PM)
		power(f, 0);
	else if (f->reset.way == RESET_BUS)
		bus_reset(f, false);
}

bool passthrough_reset_over(struct vfunc *f)
{
	if (!passthrough_func_present(f))
		return false;
	restore(f);
	return true;
}
