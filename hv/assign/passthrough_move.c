/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A BAR moved, and an MSI-X table with it: the trap must follow before anyone
 * writes the new place. The MMIO bus is searched without a lock, so it changes
 * while every core stands still. Each then drops its vCPUs' cached
 * translations. This is rare: firmware placed the BARs, and they are sized with
 * decoding off. If a core does not come, the memory of the function is turned
 * off: its old trap stays, and nothing is at the new place.
 * Called from exits of config space, with no lock held.
 */
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/tsc.h"
#include "hv/assign/passthrough_priv.h"
#include "hv/core/vcpu.h"
#include "include/hw/pci.h"
#include "lib/log.h"

struct move {
	struct vfunc *f;
	u64 table;
};

/* While all cores stand still */
static int move_now(void *arg)
{
	const struct move *m = arg;
	struct vfunc *f = m->f;
	struct vm *vm = f->pci->vm;
	int err;

	passthrough_msix_unplace(f);
	err = passthrough_msix_place(f, m->table);
	if (err)
		return err;
	/* The guest may have reached the new place as a plain device */
	err = pt_unmap(&vm->npt, f->msix.trap_base, f->msix.trap_size);
	if (err)
		passthrough_msix_unplace(f);
	return err;
}

/* On each core, behind it */
static void moved(void *arg)
{
	const struct move *m = arg;

	vm_flush_here(m->f->pci->vm);
}

static bool decodes_memory(const struct vfunc *f)
{
	return pci_read(f->bdf, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY;
}

/* With no trap there must be no table either */
static void decode_off(struct vfunc *f)
{
	u32 command = pci_read(f->bdf, PCI_COMMAND, 2);

	pci_write(f->bdf, PCI_COMMAND, 2, command & ~PCI_COMMAND_MEMORY);
	if (!ratelimit_pass(&f->pci->vm->log_limit, rdtsc(), tsc_khz * 1000, 4))
		return;
	log_warn("pci",
		 "%02x:%02x.%u: cannot trap its MSI-X table at %#llx: "
		 "its memory is turned off",
		 f->bdf.bus, pci_device(f->bdf), pci_function(f->bdf),
		 passthrough_msix_table_address(f));
}

void passthrough_follow(struct vfunc *f)
{
	struct passthrough *pci = f->pci;
	struct move m = { .f = f };
	int err;

	spin_lock(&pci->lock);
	if (f->msix.count && decodes_memory(f))
		m.table = passthrough_msix_table_address(f);
	if (m.table && m.table == f->msix.table)
		passthrough_msix_sync(f);
	spin_unlock(&pci->lock);
	if (!m.table || m.table == f->msix.table)
		return;
	err = smp_rendezvous(move_now, moved, &m);
	spin_lock(&pci->lock);
	if (err)
		decode_off(f);
	passthrough_msix_sync(f);
	spin_unlock(&pci->lock);
}
