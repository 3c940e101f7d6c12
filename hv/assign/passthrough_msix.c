/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MSI-X capability and table of a passed-through function (PCI 3.0, 6.8.2).
 * The pages in which the table lies are trapped. Entries are the guest's in a
 * shadow; whatever else is in the pages passes. The device's table holds only
 * masked entries and messages that irq_route_msi() made. Called under
 * passthrough.lock, but for the bus callbacks and the storm hook, which take
 * it. Over 400 lines: the table and what is known of its entries.
 */
#include "arch/x86/cpu/nospec.h"
#include "arch/x86/cpu/portio.h"
#include "hv/assign/passthrough_priv.h"
#include "hv/core/vcpu.h"
#include "include/hw/pci.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/owner.h"

#define CONTROL(bits)        ((u32)(bits) << 16)
#define MSIX_CONTROL_VIRTUAL CONTROL(PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL)

enum entry_word { ENTRY_LOW, ENTRY_HIGH, ENTRY_DATA, ENTRY_CONTROL };

static u8 *hw_entry(const struct vfunc *f, const struct msix_entry *e)
{
	u64 index = (u64)(e - f->msix.entries);

	return f->msix.map.va + (f->msix.table - f->msix.trap_base) +
	       index * PCI_MSIX_ENTRY_BYTES;
}

/* Is the device's table at the trap? With decoding off it is nowhere, and what
 * is at the trap may be another function's. */
static bool table_there(const struct vfunc *f)
{
	return f->msix.table && passthrough_decodes(f);
}

/* On only behind a trap. All are masked until the entries have reached the
 * device: it keeps what it would send (PCI 3.0, 6.8.2.3 *Message Control for
 * MSI-X*). */
static void hw_control(const struct vfunc *f)
{
	bool on = f->msix.enabled && table_there(f);
	u32 word = pci_read(f->bdf, f->msix.cap, 4) & ~MSIX_CONTROL_VIRTUAL;

	word |= on ? CONTROL(PCI_MSIX_ENABLE) : 0;
	word |= f->msix.masked || f->msix.left ? CONTROL(PCI_MSIX_MASK_ALL) : 0;
	pci_write(f->bdf, f->msix.cap, 4, word);
}

/* Is the entry open, and its message a routed one? */
static bool entry_on(const struct msix_entry *e)
{
	return e->route && !irq_msi_throttled(e->route) &&
	       !(e->word[ENTRY_CONTROL] & PCI_MSIX_ENTRY_MASKED);
}

static void on_storm(void *dev)
{
	struct msix_entry *e = dev;
	struct vfunc *f = e->func;

	spin_lock(&f->pci->lock);
	if (table_there(f))
		mmio_write(hw_entry(f, e) + ENTRY_CONTROL * 4, 4,
			   entry_on(e) ? 0 : PCI_MSIX_ENTRY_MASKED);
	spin_unlock(&f->pci->lock);
}

static void entry_unroute(struct msix_entry *e)
{
	if (!e->route)
		return;
	irq_unroute_msi(e->route);
	e->route = NULL;
	e->func->msix.routed--;
}

/* False: it is no message, or no row is left */
static bool entry_route(struct msix_entry *e, struct msi_message *host)
{
	const struct msi_message guest = {
		(u64)e->word[ENTRY_HIGH] << 32 | e->word[ENTRY_LOW],
		e->word[ENTRY_DATA],
	};
	bool had = e->route;

	if (!irq_route_msi(&e->func->msix.source, &guest, &e->route, host)) {
		e->func->msix.routed += !had;
		return true;
	}
	entry_unroute(e);
	return false;
}

/* Mask first, then the message, then unmask: the device never sees a half */
static void entry_sync(struct vfunc *f, struct msix_entry *e)
{
	u8 *hw = hw_entry(f, e);
	struct msi_message host;

	mmio_write(hw + ENTRY_CONTROL * 4, 4, PCI_MSIX_ENTRY_MASKED);
	if (e->word[ENTRY_CONTROL] & PCI_MSIX_ENTRY_MASKED ||
	    !f->msix.enabled || !entry_route(e, &host))
		return;
	irq_msi_on_storm(e->route, on_storm, e);
	mmio_write(hw + ENTRY_LOW * 4, 4, (u32)host.addr);
	mmio_write(hw + ENTRY_HIGH * 4, 4, host.addr >> 32);
	mmio_write(hw + ENTRY_DATA * 4, 4, host.data);
	if (irq_msi_moves(e->route)) {
		/* The answer comes behind what was sent before the mask */
		mmio_read(hw + ENTRY_CONTROL * 4, 4);
		irq_msi_moved(e->route);
	}
	if (entry_on(e))
		mmio_write(hw + ENTRY_CONTROL * 4, 4, 0);
}

/* Once it is off, its messages are taken from it */
void passthrough_msix_sync(struct vfunc *f)
{
	bool due = f->msix.enabled ? table_there(f) : f->msix.routed;

	if (!f->msix.cap)
		return;
	f->msix.left = due ? f->msix.count : 0;
	hw_control(f);
}

void passthrough_msix_step(struct vfunc *f, const struct piece *piece)
{
	struct msix_entry *e;

	/* Out of reach meanwhile: it is synced once it is there */
	if (f->msix.enabled && !table_there(f))
		f->msix.left = 0;
	while (f->msix.left) {
		e = &f->msix.entries[f->msix.count - f->msix.left];
		f->msix.left--;
		if (f->msix.enabled)
			entry_sync(f, e);
		else
			entry_unroute(e);
		if (piece_over(piece))
			break;
	}
	if (!f->msix.left)
		hw_control(f);
}

/* The entries that the device has stay: MSI-X is off, and each is written
 * before it is on again */
bool passthrough_msix_quiet(struct vfunc *f, bool present,
			    const struct piece *piece)
{
	f->msix.enabled = f->msix.masked = false;
	f->msix.left = 0;
	if (f->msix.cap && present)
		hw_control(f);
	for (u32 i = 0; i < f->msix.count && f->msix.entries; i++) {
		struct msix_entry *e = &f->msix.entries[i];
		bool routed = e->route;

		entry_unroute(e);
		for (u32 w = ENTRY_LOW; w < ENTRY_CONTROL; w++)
			e->word[w] = 0;
		e->word[ENTRY_CONTROL] = PCI_MSIX_ENTRY_MASKED;
		if (routed && piece_over(piece))
			return false;
	}
	return true;
}

u32 passthrough_msix_control_read(const struct vfunc *f)
{
	return (pci_read(f->bdf, f->msix.cap, 4) & ~MSIX_CONTROL_VIRTUAL) |
	       (f->msix.enabled ? CONTROL(PCI_MSIX_ENABLE) : 0) |
	       (f->msix.masked ? CONTROL(PCI_MSIX_MASK_ALL) : 0);
}

void passthrough_msix_control_write(struct vfunc *f, u32 value)
{
	bool enabled = value & CONTROL(PCI_MSIX_ENABLE);

	f->msix.masked = value & CONTROL(PCI_MSIX_MASK_ALL);
	/* Written again while on: a function-level reset may have emptied
	 * the table, so it is filled again */
	f->msix.enabled = enabled;
	passthrough_msix_sync(f);
}

/* The entry at @offset of the trap, NULL: something else is there */
static struct msix_entry *entry_at(const struct vfunc *f, u64 offset)
{
	u64 start = f->msix.table - f->msix.trap_base;

	if (offset < start || !table_there(f))
		return NULL;
	offset = (offset - start) / PCI_MSIX_ENTRY_BYTES;
	if (offset >= f->msix.count)
		return NULL;
	return &f->msix.entries[index_nospec(offset, f->msix.count)];
}

static u64 table_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vfunc *f = dev;
	struct msix_entry *e;
	u64 value;
	u32 at = (u32)offset / 4 % 4;

	spin_lock(&f->pci->lock);
	e = entry_at(f, offset);
	if (!e) {
		value = mmio_read(f->msix.map.va + offset, size);
	} else {
		value = e->word[at];
		if (size == 8 && at < ENTRY_CONTROL)
			value |= (u64)e->word[at + 1] << 32;
		value = value >> offset % 4 * 8 & ones_of(size);
	}
	spin_unlock(&f->pci->lock);
	return value;
}

/* PCI 3.0, 6.8.2: software writes aligned dwords and qwords only */
static void entry_write(struct vfunc *f, struct msix_entry *e, u64 offset,
			u8 size, u64 value)
{
	u32 at = (u32)offset / 4 % 4;

	if (size < 4 || !IS_ALIGNED(offset, size))
		return;
	e->word[at] = (u32)value;
	if (size == 8)
		e->word[at + 1] = (u32)(value >> 32);
	entry_sync(f, e);
}

static void table_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			u64 value)
{
	struct vfunc *f = dev;
	struct msix_entry *e;

	spin_lock(&f->pci->lock);
	e = entry_at(f, offset);
	if (e)
		entry_write(f, e, offset, size, value);
	else if (!entry_at(f, offset + size - 1))
		mmio_write(f->msix.map.va + offset, size, value);
	spin_unlock(&f->pci->lock);
}

static u64 pf_table_address(const struct vfunc *f)
{
	u16 at = (u16)(PCI_BAR0 + f->msix.bar * 4);
	u32 low = pci_read(f->bdf, at, 4);
	u64 base = low & PCI_BAR_MEM_MASK;

	if (low & PCI_BAR_IO)
		return 0;
	if ((low & PCI_BAR_TYPE) == PCI_BAR_64)
		base |= (u64)pci_read(f->bdf, (u16)(at + 4), 4) << 32;
	return base ? base + f->msix.offset : 0;
}

u64 passthrough_msix_table_address(const struct vfunc *f)
{
	return f->is_vf ? passthrough_vf_table_address(f) : pf_table_address(f);
}

bool passthrough_is_device(u64 base, u64 end)
{
	struct extent e;
	u64 at;

	for (at = base; at < end; at = e.base + e.size) {
		e = owner_find(HPA(at));
		if (e.kind != OWNER_DEVICE && e.kind != OWNER_FIRMWARE)
			return false;
		if (e.base + e.size <= at)
			return false; /* past the end of all addresses */
	}
	return true;
}

int passthrough_msix_place(struct vfunc *f, u64 table)
{
	u64 base = ALIGN_DOWN(table, PAGE_SIZE);
	u64 end = ALIGN_UP(table + f->msix.count * PCI_MSIX_ENTRY_BYTES,
			   PAGE_SIZE);
	const struct bus_region region = {
		.base = base,
		.size = end - base,
		.name = "msix",
		.read = table_read,
		.write = table_write,
		.dev = f,
	};
	int err;

	if (end <= base || !passthrough_is_device(base, end))
		return -EINVAL;
	err = iomap_move(&f->msix.map, HPA(base), end - base,
			 PT_R | PT_W | PT_UC);
	if (!err)
		err = bus_add(&f->pci->vm->mmio, &region);
	if (err)
		return err;
	f->msix.trap_base = base;
	f->msix.trap_size = end - base;
	f->msix.table = table;
	return 0;
}

void passthrough_msix_unplace(struct vfunc *f)
{
	if (!f->msix.table)
		return;
	bus_remove(&f->pci->vm->mmio, f->msix.trap_base);
	f->msix.table = 0;
}

static void capability_read(struct vfunc *f)
{
	u32 control = pci_read(f->bdf, f->msix.cap, 4) >> 16;
	u32 table = pci_read(f->bdf, (u16)(f->msix.cap + PCI_MSIX_TABLE), 4);

	f->msix.count = (u16)((control & PCI_MSIX_SIZE) + 1);
	f->msix.bar = (u8)(table & PCI_MSIX_BIR);
	f->msix.offset = table & ~PCI_MSIX_BIR;
	f->msix.source = (struct irq_source){ .vm = f->pci->vm, .bdf = f->bdf };
}

bool passthrough_msix_is_resized(const struct vfunc *f)
{
	u32 control;

	if (!f->msix.count)
		return false;
	control = pci_read(f->bdf, f->msix.cap, 4) >> 16;
	return control != 0xffff &&
	       (control & PCI_MSIX_SIZE) + 1u != f->msix.count;
}

/* A table of the most entries, wherever it begins in a page */
#define MAP_BYTES (PCI_MSIX_MAX * PCI_MSIX_ENTRY_BYTES + PAGE_SIZE)

static size_t entries_bytes(u32 count)
{
	return count * sizeof(struct msix_entry);
}

/* All that the table will ever need, wherever the guest moves it */
static int table_create(struct vfunc *f)
{
	if (f->msix.bar >= PCI_BAR_COUNT)
		return -ENODEV;
	if (!f->msix.map.va && iomap_init(&f->msix.map, MAP_BYTES))
		return -ENOMEM;
	f->msix.entries =
		kmem_alloc(&f->pci->vm->budget, entries_bytes(f->msix.count));
	if (!f->msix.entries)
		return -ENOMEM;
	for (u32 i = 0; i < f->msix.count; i++) {
		f->msix.entries[i].func = f;
		f->msix.entries[i].word[ENTRY_CONTROL] = PCI_MSIX_ENTRY_MASKED;
	}
	return 0;
}

void passthrough_msix_init(struct vfunc *f)
{
	int err;

	if (!f->msix.cap)
		return;
	capability_read(f);
	passthrough_move_init(f);
	/* What firmware left there must not fire into our vectors */
	hw_control(f);
	err = table_create(f);
	if (err) {
		log_warn("pci", "%02x:%02x.%u: no MSI-X: %s", f->bdf.bus,
			 pci_device(f->bdf), pci_function(f->bdf),
			 err == -ENOMEM ? "no memory for its table"
					: "its table is in no BAR");
		f->msix.count = 0;
	}
}

void passthrough_msix_place_first(struct vfunc *f)
{
	u64 table = f->msix.count ? passthrough_msix_table_address(f) : 0;

	if (table && passthrough_msix_place(f, table))
		log_warn("pci", "%02x:%02x.%u: cannot trap its MSI-X table",
			 f->bdf.bus, pci_device(f->bdf), pci_function(f->bdf));
}

/* Whoever still comes back to it, from a move, finds no capability. A storm's
 * hook may come back to the entries. */
void passthrough_msix_forget(struct vfunc *f)
{
	passthrough_msix_unplace(f);
	f->msix.left = 0;
	f->msix.old_entries = f->msix.entries;
	f->msix.old_count = f->msix.count;
	f->msix.entries = NULL;
	f->msix.cap = 0;
	f->msix.count = 0;
}

bool passthrough_msix_drain(struct vfunc *f, const struct piece *piece)
{
	for (u32 i = 0; f->msix.routed && i < f->msix.old_count; i++) {
		if (!f->msix.old_entries[i].route)
			continue;
		entry_unroute(&f->msix.old_entries[i]);
		if (piece_over(piece))
			break;
	}
	return !f->msix.routed;
}

void passthrough_msix_free(struct vfunc *f)
{
	if (!f->msix.old_entries || f->msix.routed)
		return;
	kmem_free(&f->pci->vm->budget, f->msix.old_entries,
		  entries_bytes(f->msix.old_count));
	f->msix.old_entries = NULL;
}

void passthrough_msix_release(struct vfunc *f)
{
	const struct piece all = { ~0ull };

	f->msix.enabled = false;
	passthrough_msix_sync(f);
	passthrough_msix_forget(f);
	while (!passthrough_msix_drain(f, &all))
		;
	passthrough_msix_free(f);
}
