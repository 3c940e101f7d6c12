/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI-X tables that move. A function decodes memory only while the trap stands
 * where its table is. So a write that may move the table (memory decoding on, a
 * BAR, Resizable BAR control) is done with decoding off in the hardware. The
 * trap follows, then decoding comes back: `decode_due` says that it is owed.
 *
 * The MMIO bus is searched without a lock, so it changes while every core
 * stands still. The table's address is read there, too, and decoding turned on:
 * of two movers whichever comes first serves the last write. Each core then
 * drops its cached translations. This is rare: firmware placed the BARs, and
 * they are sized with decoding off.
 *
 * A register that nobody knows may move a table as well. So after any write to
 * the function, its table is where the trap is, or decoding goes off. A write
 * that begins a reset is an exception: behind it the function decodes nothing,
 * and nobody may ask it for a while.
 */
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/tsc.h"
#include "hv/assign/passthrough_priv.h"
#include "hv/core/vcpu.h"
#include "include/hw/pci.h"
#include "lib/errno.h"
#include "lib/log.h"

/* A guest with hundreds of functions may place them all at once. Then one each
 * millisecond, of which a meeting takes some hundredths. */
#define MEETINGS_AT_ONCE 4000u
#define MEETING_MS       1u

#define NO_ANSWER 0xffffu

/* What begins a reset, for which a function may take 100 ms: a read meanwhile
 * may keep the core until it is over (PCIe 4.0, 2.3.1 *Request Handling Rules*,
 * 6.6.2 *Function Level Reset*, 5.3.1.4 *D3 State*) */
void passthrough_move_init(struct vfunc *f)
{
	const u16 resets[] = {
		f->caps.pcie ? f->caps.pcie + PCI_PCIE_CONTROL + 1u : 0,
		f->caps.af ? f->caps.af + PCI_AF_CONTROL : 0,
		f->caps.pm ? f->caps.pm + PCI_PM_CONTROL : 0,
	};
	static_assert(ARRAY_SIZE(resets) == PASSTHROUGH_RESETS,
		      "one place each");

	for (u32 i = 0; i < ARRAY_SIZE(resets); i++)
		f->resets[i] = f->is_vf ? 0 : resets[i];
}

static u32 command_read(const struct vfunc *f)
{
	return pci_read(f->bdf, PCI_COMMAND, 2);
}

/* A VF has no switch of its own: its MSI-X stays off meanwhile */
static void decode_set(struct vfunc *f, bool on)
{
	u32 command;

	f->decode_due = false;
	if (f->is_vf)
		return;
	command = command_read(f) & ~PCI_COMMAND_MEMORY;

	pci_write(f->bdf, PCI_COMMAND, 2,
		  command | (on ? PCI_COMMAND_MEMORY : 0));
}

bool passthrough_decodes(const struct vfunc *f)
{
	u32 command;

	if (f->is_vf)
		return passthrough_vf_decodes(f);
	if (f->lost)
		return false;
	command = command_read(f);
	if (command == NO_ANSWER && passthrough_func_left(f))
		return false;
	return command & PCI_COMMAND_MEMORY;
}

/* Is the trap where the table is, if there is one? */
static bool in_step(const struct vfunc *f)
{
	return passthrough_msix_table_address(f) == f->msix.table;
}

u32 passthrough_read(const struct vfunc *f, u32 offset, u8 size)
{
	u32 value = pci_read(f->bdf, (u16)offset, size);

	if (f->decode_due && offset == PCI_COMMAND && !f->is_vf)
		value |= PCI_COMMAND_MEMORY;
	return value;
}

void passthrough_hold(struct vfunc *f)
{
	if (!f->msix.count || (!f->is_vf && !passthrough_decodes(f)))
		return;
	decode_set(f, false);
	f->decode_due = true;
}

static bool overlaps(u32 offset, u8 size, u32 first, u32 bytes)
{
	return offset < first + bytes && offset + size > first;
}

/* The BAR that has the table. Behind it a bridge has its windows: decoding off
 * would cut off all that is below. */
static bool is_table_bar(const struct vfunc *f, u32 offset, u8 size)
{
	u32 at = PCI_BAR0 + f->msix.bar * 4u;
	u32 low = pci_read(f->bdf, (u16)at, 4) & (PCI_BAR_IO | PCI_BAR_TYPE);

	return overlaps(offset, size, at, low == PCI_BAR_64 ? 8 : 4);
}

/* Resizing a BAR clears address bits (PCIe 4.0, 7.8.6 *Resizable BAR Extended
 * Capability*) */
static bool is_mover(const struct vfunc *f, u32 offset, u8 size)
{
	return is_table_bar(f, offset, size) ||
	       (f->msix.rebar &&
		overlaps(offset, size, f->msix.rebar + PCI_REBAR_FIRST,
			 PCI_REBAR_BYTES));
}

static bool may_reset(const struct vfunc *f, u32 offset, u8 size)
{
	for (u32 i = 0; i < ARRAY_SIZE(f->resets); i++)
		if (f->resets[i] && overlaps(offset, size, f->resets[i], 1))
			return true;
	return false;
}

/* The low byte of the command register */
static void command_write(struct vfunc *f, u32 offset, u8 size, u32 value)
{
	bool was_on = passthrough_decodes(f);

	f->decode_due = value & PCI_COMMAND_MEMORY && !in_step(f);
	if (f->decode_due)
		value &= ~PCI_COMMAND_MEMORY;
	pci_write(f->bdf, (u16)offset, size, value);
	/* What was written to the table meanwhile is lost in the device */
	if (value & PCI_COMMAND_MEMORY && !was_on)
		passthrough_msix_sync(f);
}

void passthrough_write(struct vfunc *f, u32 offset, u8 size, u32 value)
{
	if (f->is_vf) {
		/* Nothing of its own moves its table */
		pci_write(f->bdf, (u16)offset, size, value);
		return;
	}
	if (f->msix.count && overlaps(offset, size, PCI_COMMAND, 1)) {
		command_write(f, offset, size, value);
		return;
	}
	if (f->msix.count && is_mover(f, offset, size))
		passthrough_hold(f);
	pci_write(f->bdf, (u16)offset, size, value);
	if (f->msix.count && !may_reset(f, offset, size) && !in_step(f))
		passthrough_hold(f);
}

/* A VF whose memory is off may have its MSI-X on, and get the memory back */
static bool is_idle(const struct vfunc *f)
{
	return f->is_vf ? passthrough_vf_is_gone(f) : !passthrough_decodes(f);
}

/* Functions that decode nothing have no table anywhere. Where the trap of one
 * was left, @table of another may come. */
static void evict_idle(struct passthrough *pci, u64 table, u64 bytes)
{
	u64 base = ALIGN_DOWN(table, PAGE_SIZE);
	u64 end = table + bytes;

	for (u32 i = 0; i < PASSTHROUGH_HASH; i++)
		for (struct vfunc *f = pci->hash[i]; f; f = f->next)
			if (f->msix.table && f->msix.trap_base < end &&
			    f->msix.trap_base + f->msix.trap_size > base &&
			    is_idle(f))
				passthrough_msix_unplace(f);
}

/* The trap goes to @table, 0: nowhere. No vCPU looks at the bus. */
static int trap_move(struct vfunc *f, u64 table)
{
	int err;

	evict_idle(f->pci, table, f->msix.count * PCI_MSIX_ENTRY_BYTES);
	passthrough_msix_unplace(f);
	err = table ? passthrough_msix_place(f, table) : 0;
	if (err || !table)
		return err;
	/* The guest may have reached the new place as a plain device */
	err = pt_unmap(&f->pci->vm->npt, f->msix.trap_base, f->msix.trap_size);
	if (err)
		passthrough_msix_unplace(f);
	return err;
}

/* While all cores stand still */
static int move_now(void *arg)
{
	struct vfunc *f = arg;
	u64 table = passthrough_msix_table_address(f);
	int err = 0;

	if (!f->decode_due)
		return 0; /* another mover has done it */
	if (table != f->msix.table)
		err = trap_move(f, table);
	if (!err)
		decode_set(f, true);
	return err;
}

/* On each core, behind it */
static void moved(void *arg)
{
	const struct vfunc *f = arg;

	iomap_flush_here(&f->msix.map);
	vm_flush_here(f->pci->vm);
}

/* With no trap there must be no table either */
static void refuse(struct vfunc *f)
{
	if (!f->decode_due)
		return;
	f->decode_due = false;
	if (!ratelimit_pass(&f->pci->vm->log_limit, rdtsc(), tsc_khz * 1000, 4))
		return;
	log_warn("pci",
		 "%02x:%02x.%u: cannot trap its MSI-X table at %#llx: %s",
		 f->bdf.bus, pci_device(f->bdf), pci_function(f->bdf),
		 passthrough_msix_table_address(f),
		 f->is_vf ? "it gets no MSI-X" : "its memory is turned off");
}

/* True: the trap must move first */
static bool decode_return(struct vfunc *f)
{
	if (!f->decode_due || !in_step(f))
		return f->decode_due;
	decode_set(f, true);
	passthrough_msix_sync(f);
	return false;
}

int passthrough_meet(struct passthrough *pci, int (*change)(void *arg),
		     void (*after)(void *arg), void *arg)
{
	if (!ratelimit_pass(&pci->meetings, rdtsc(), tsc_khz * MEETING_MS,
			    MEETINGS_AT_ONCE))
		return -EBUSY;
	return smp_rendezvous(change, after, arg);
}

void passthrough_follow(struct vfunc *f)
{
	struct passthrough *pci = f->pci;
	bool moves;
	int err;

	spin_lock(&pci->lock);
	moves = decode_return(f);
	spin_unlock(&pci->lock);
	if (!moves)
		return;
	err = passthrough_meet(pci, move_now, moved, f);
	spin_lock(&pci->lock);
	if (err)
		refuse(f);
	passthrough_msix_sync(f);
	spin_unlock(&pci->lock);
}
