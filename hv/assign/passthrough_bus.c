/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bridges that get other bus numbers (PCI-to-PCI Bridge 1.2, 3.2.5). What is
 * behind one answers at other addresses then, or at none, with all that was
 * turned on in it; and it is known at the old address, with a trap where its
 * table is. So it is turned off first, as a reset would do. At the new address
 * it is found like any other, and the trap at the old one is in nobody's way.
 * Kernels do this before they start drivers.
 *
 * There may be hundreds of functions, at a microsecond for each register. They
 * are turned off in pieces, between which the core looks at its timer and its
 * queue, and the lock is free after each function. VE_INSN keeps the vCPU from
 * its next instruction meanwhile. What another vCPU touches in between is seen
 * to again: the bridge is written only once nothing is left, under the same
 * lock.
 */
#include "arch/x86/machine/tsc.h"
#include "hv/assign/passthrough_priv.h"
#include "hv/core/vcpu.h"
#include "include/hw/pci.h"
#include "lib/bytes.h"
#include "lib/log.h"

/* Of the dword that the numbers are in */
#define FIRST(numbers) ((numbers) >> 8 & 0xffu)
#define LAST(numbers)  ((numbers) >> 16 & 0xffu)

struct buses {
	u32 first, last; /* none: first > last */
};

bool passthrough_is_bus_number(const struct vfunc *f, u32 offset, u8 size)
{
	return f->bridge && offset <= PCI_SUBORDINATE_BUS &&
	       offset + size > PCI_SECONDARY_BUS;
}

/*
 * Those that the bridge leads to by the numbers @was, and by @now no longer or
 * on another way. With a secondary number of 0, as after a reset, it takes all
 * up to the last one for those of bridges behind it. What comes to a bridge is
 * always for a later bus than its own.
 */
static struct buses moved_buses(const struct vfunc *bridge, u32 was, u32 now)
{
	u32 first = MAX(FIRST(was), bridge->bdf.bus + 1u);

	if (FIRST(now) == FIRST(was))
		first = MAX(first, LAST(now) + 1);
	return (struct buses){ first, LAST(was) };
}

static void clear(const struct vfunc *f, u32 offset, u32 bits)
{
	u32 value = pci_read(f->bdf, (u16)offset, 2);

	if (value & bits)
		pci_write(f->bdf, (u16)offset, 2, value & ~bits);
}

static void lose(struct vfunc *f)
{
	passthrough_sriov_silence(f);
	if (f->msi.cap)
		clear(f, f->msi.cap + PCI_MSI_CONTROL, PCI_MSI_ENABLE);
	if (f->msix.cap)
		clear(f, f->msix.cap + PCI_MSIX_CONTROL, PCI_MSIX_ENABLE);
	if (f->msix.count)
		clear(f, PCI_COMMAND, PCI_COMMAND_MEMORY);
	f->decode_due = false;
	f->msix.left = 0;
	f->lost = true;
}

/*
 * False: it must stay where it is. The hypervisor uses it, or it cannot be
 * turned off, as a bridge above it sleeps. Another that does not answer is left
 * as it is known: it is in the middle of a reset, or it has left.
 */
static bool let_go(struct vfunc *f)
{
	if (f->kept)
		return false;
	if (passthrough_func_present(f))
		lose(f);
	else if (passthrough_func_sleeps(f))
		return false;
	f->seen_to = f->pci->rounds;
	return true;
}

static void refuse(const struct vfunc *bridge, const struct vfunc *f)
{
	if (!ratelimit_pass(&f->pci->vm->log_limit, rdtsc(), tsc_khz * 1000, 4))
		return;
	log_warn("pci",
		 "%02x:%02x.%u keeps its bus numbers: %02x:%02x.%u behind it "
		 "%s",
		 bridge->bdf.bus, pci_device(bridge->bdf),
		 pci_function(bridge->bdf), f->bdf.bus, pci_device(f->bdf),
		 pci_function(f->bdf),
		 f->kept ? "is the hypervisor's console"
			 : "cannot be turned off while a bridge sleeps");
}

/* A VF goes with its PF */
static bool is_due(const struct vfunc *f, const struct bus_write *w)
{
	return f->bdf.segment == w->bridge.segment && f->bdf.bus >= w->first &&
	       f->bdf.bus <= w->last && !f->lost && !f->is_vf &&
	       f->seen_to < w->round;
}

/* One that is to be seen to first; NULL: there is none */
static struct vfunc *next_due(const struct passthrough *pci,
			      struct bus_write *w, struct buses b)
{
	if (w->touched != pci->touched || w->first != b.first ||
	    w->last != b.last)
		w->bucket = 0;
	w->touched = pci->touched;
	w->first = b.first;
	w->last = b.last;
	for (; w->bucket < PASSTHROUGH_HASH; w->bucket++)
		for (struct vfunc *f = pci->hash[w->bucket]; f; f = f->next)
			if (is_due(f, w))
				return f;
	return NULL;
}

/* One function, or the write. True: it is done, or came to nothing, as the
 * bridge has left or must stay as it is. */
static bool step(struct passthrough *pci, struct bus_write *w)
{
	struct vfunc *bridge = passthrough_func_known(pci, w->bridge), *f;
	u32 was, now;

	if (!bridge || !bridge->bridge)
		return true;
	was = pci_read(bridge->bdf, PCI_PRIMARY_BUS, 4);
	now = (u32)merge_bits(was, w->value, w->mask);
	f = next_due(pci, w, moved_buses(bridge, was, now));
	if (!f) {
		pci_write(bridge->bdf, PCI_PRIMARY_BUS, 4, now);
		bridge->secondary = FIRST(now);
		return true;
	}
	if (let_go(f))
		return false;
	refuse(bridge, f);
	return true;
}

bool passthrough_insn_go_on(struct vcpu *v)
{
	struct passthrough *pci = v->vm->devices[VDEV_passthrough];
	struct bus_write *w = pci ? &pci->bus_writes[v->id] : NULL;
	struct piece piece = piece_begin();

	while (w && w->due) {
		spin_lock(&pci->lock);
		w->due = !step(pci, w);
		spin_unlock(&pci->lock);
		if (piece_over(&piece))
			break;
	}
	return !w || !w->due;
}

/* What one instruction writes to the numbers of one bridge, byte by byte maybe,
 * is one write. No instruction has to do with two bridges. */
void passthrough_bus_write(struct vcpu *v, const struct vfunc *f, u32 offset,
			   u8 size, u32 value)
{
	struct passthrough *pci = f->pci;
	struct bus_write *w = &pci->bus_writes[v->id];
	u32 shift = (offset - PCI_PRIMARY_BUS) * 8;
	u32 mask = (u32)(ones_of(size) << shift);

	if (!w->due)
		*w = (struct bus_write){ .due = true,
					 .bridge = f->bdf,
					 .round = ++pci->rounds };
	else if (!pci_same(w->bridge, f->bdf))
		return;
	w->value = (u32)merge_bits(w->value, (u64)value << shift, mask);
	w->mask |= mask;
	vcpu_post(v, VE_INSN);
}
