/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's PCI functions as passthrough.c knows them, by address. One is
 * known from the scan while the VM is built, or from its first access (hot
 * plug, virtual functions). Another function may take the address: its slot has
 * changed hands, or the guest has given a bridge other bus numbers. Its
 * capabilities lie elsewhere, so the old one is forgotten first. Whoever has a
 * pointer to it may still use it: forgotten ones are kept and used again.
 */
#include "drivers/acpi/acpi.h"
#include "hv/assign/passthrough_priv.h"
#include "include/hw/pci.h"

#define NO_FUNCTION 0xffffu

static u32 bdf_hash(struct pci_bdf bdf)
{
	return (bdf.devfn ^ bdf.bus * 13u ^ bdf.segment * 7u) %
	       PASSTHROUGH_HASH;
}

/* Where the pointer to it is, or would be */
static struct vfunc **func_link(struct passthrough *pci, struct pci_bdf bdf)
{
	struct vfunc **link = &pci->hash[bdf_hash(bdf)];

	while (*link && !pci_same((*link)->bdf, bdf))
		link = &(*link)->next;
	return link;
}

static u32 id_read(struct pci_bdf bdf)
{
	return pci_read(bdf, PCI_VENDOR_ID, 4);
}

/*
 * What answers there is another function. No answer is none: a function that is
 * reset has none for a while, or the one that says "later". One that was found
 * as it said so is another one once it is ready. But a VF has no ids.
 */
static bool func_is_stale(const struct vfunc *f)
{
	u16 index;
	u32 id;

	if (f->is_vf)
		return passthrough_vf_is_gone(f) ||
		       passthrough_msix_is_resized(f);
	id = id_read(f->bdf);
	if ((u16)id == NO_FUNCTION)
		return passthrough_sriov_owner(f->pci, f->bdf, &index);
	return (u16)id != PCI_VENDOR_RETRY && (id != f->id || f->lost);
}

bool passthrough_func_present(const struct vfunc *f)
{
	if (f->is_vf)
		return !passthrough_vf_is_gone(f);
	return !f->lost && id_read(f->bdf) == f->id;
}

static bool is_bridge(struct pci_bdf bdf)
{
	return (pci_read(bdf, PCI_HEADER_TYPE, 1) & PCI_HEADER_LAYOUT) ==
	       PCI_HEADER_BRIDGE;
}

static bool leads_to(struct pci_bdf bridge, struct pci_bdf to)
{
	return bridge.segment == to.segment &&
	       pci_read(bridge, PCI_SECONDARY_BUS, 1) == to.bus;
}

/* The known bridge to the function's bus, or @bdf itself: there is none. One
 * that was reset since may lead nowhere. */
static struct pci_bdf parent_of(const struct passthrough *pci,
				struct pci_bdf bdf)
{
	for (u32 i = 0; i < PASSTHROUGH_HASH; i++)
		for (const struct vfunc *f = pci->hash[i]; f; f = f->next)
			if (f->bridge && f->secondary == bdf.bus &&
			    leads_to(f->bdf, bdf))
				return f->bdf;
	return bdf;
}

static bool is_root_bus(struct pci_bdf bdf)
{
	for (u32 i = 0; i < acpi.ecam_count; i++)
		if (!acpi.ecam[i].unused &&
		    acpi.ecam[i].segment == bdf.segment &&
		    acpi.ecam[i].bus_first == bdf.bus)
			return true;
	return !acpi.ecam_count && !bdf.bus;
}

/* PCIe 4.0, 5.3.1.4 *D3 State*: a bridge that sleeps passes nothing on */
static bool is_awake(struct passthrough *pci, struct pci_bdf bridge)
{
	const struct vfunc *known = *func_link(pci, bridge);
	u8 cap = known ? known->caps.pm : pci_find_cap(bridge, PCI_CAP_ID_PM);

	return !cap || !(pci_read(bridge, (u16)(cap + PCI_PM_CONTROL), 2) &
			 PCI_PM_STATE);
}

bool passthrough_func_left(const struct vfunc *f)
{
	if (f->lost)
		return true;
	if ((u16)id_read(f->bdf) != NO_FUNCTION)
		return false;
	if (pci_same(f->parent, f->bdf))
		return is_root_bus(f->bdf);
	return is_bridge(f->parent) && leads_to(f->parent, f->bdf) &&
	       is_awake(f->pci, f->parent);
}

bool passthrough_func_sleeps(const struct vfunc *f)
{
	return !pci_same(f->parent, f->bdf) && is_bridge(f->parent) &&
	       leads_to(f->parent, f->bdf) && !is_awake(f->pci, f->parent);
}

/* A forgotten one keeps the mapping of its table */
static struct vfunc *func_new(struct passthrough *pci)
{
	struct vfunc **link = &pci->forgotten, *f;
	struct iomap map;

	while (*link && (*link)->msix.old_entries)
		link = &(*link)->next;
	f = *link;
	if (!f)
		return kmem_alloc(&pci->vm->budget, sizeof(*f));
	*link = f->next;
	map = f->msix.map;
	*f = (struct vfunc){ .msix.map = map };
	return f;
}

/* By one walk of each list. A VF's table moves with its PF's registers. */
static void find_caps(struct vfunc *f)
{
	static const u8 ids[] = { PCI_CAP_ID_MSI, PCI_CAP_ID_MSIX,
				  PCI_CAP_ID_PM, PCI_CAP_ID_PCIE,
				  PCI_CAP_ID_AF };
	static const u16 ext_ids[] = { PCI_EXT_CAP_REBAR, PCI_EXT_CAP_SRIOV,
				       PCI_EXT_CAP_VF_REBAR };
	u8 at[ARRAY_SIZE(ids)];
	u16 ext[ARRAY_SIZE(ext_ids)] = { 0 };

	pci_find_caps(f->bdf, ids, at, ARRAY_SIZE(ids));
	f->msi.cap = at[0];
	f->msix.cap = at[1];
	f->caps.pm = at[2];
	f->caps.pcie = at[3];
	f->caps.af = at[4];
	if (f->is_vf)
		return;
	pci_find_ext_caps(f->bdf, ext_ids, ext, ARRAY_SIZE(ext_ids));
	f->msix.rebar = ext[0];
	f->sriov.cap = ext[1];
	f->sriov.rebar = ext[2];
}

/* What it has of messages and VFs. That of a kept one is not looked at. */
static void func_init(struct vfunc *f)
{
	if (f->kept)
		return;
	find_caps(f);
	passthrough_msi_init(f);
	passthrough_msix_init(f);
	passthrough_sriov_init(f);
}

/* No memory: the function stays unknown, and with it all of its config space */
static struct vfunc *func_add(struct passthrough *pci, struct pci_bdf bdf,
			      struct vfunc *pf, u16 vf_index)
{
	struct vfunc **head = &pci->hash[bdf_hash(bdf)];
	struct vfunc *f;

	if (passthrough_hides(pci, bdf))
		return NULL;
	f = func_new(pci);
	if (!f)
		return NULL;
	f->pci = pci;
	f->bdf = bdf;
	f->id = id_read(bdf);
	f->parent = parent_of(pci, bdf);
	f->bridge = is_bridge(bdf);
	if (f->bridge)
		f->secondary = (u8)pci_read(bdf, PCI_SECONDARY_BUS, 1);
	f->is_vf = pf;
	f->pf = pf;
	f->vf_index = vf_index;
	passthrough_guard_init(f);
	func_init(f);
	f->next = *head;
	*head = f;
	pci->changes++;
	return f;
}

struct gone {
	struct passthrough *pci;
	struct pci_bdf bdf;
};

/* While all cores stand still: no storm's hook is under way, nobody looks at
 * the bus. The hardware there is another function's and is left alone. Its
 * messages, of which it may have thousands, are taken from it later, and the
 * entries are freed when the cores meet again. */
static int forget_now(void *arg)
{
	const struct gone *g = arg;
	struct vfunc **link = func_link(g->pci, g->bdf);
	struct vfunc *f = *link;

	for (struct vfunc *old = g->pci->forgotten; old; old = old->next)
		passthrough_msix_free(old);
	if (!f || !func_is_stale(f))
		return 0; /* another core has done it */
	*link = f->next;
	g->pci->changes++;
	passthrough_msi_forget(f);
	passthrough_msix_forget(f);
	passthrough_sriov_forget(f);
	f->decode_due = false;
	f->next = g->pci->forgotten;
	g->pci->forgotten = f;
	g->pci->draining |= f->msix.routed != 0;
	return 0;
}

/* Called and returns with the lock held, which it drops meanwhile. False: the
 * cores did not meet, and the address stays without a function. */
static bool func_forget(struct passthrough *pci, struct pci_bdf bdf)
{
	struct gone gone = { pci, bdf };
	int err;

	spin_unlock(&pci->lock);
	err = passthrough_meet(pci, forget_now, NULL, &gone);
	spin_lock(&pci->lock);
	return !err;
}

/* A VF has no ids: that it answers is seen elsewhere. In its first 100 ms
 * nobody may ask it: it says "later", and who reads waits. After that one that
 * still does is said by its vendor, if the root port can (PCIe 4.0, 2.3.2). */
static bool vf_answers(const struct vfunc *pf, struct pci_bdf bdf)
{
	return !passthrough_sriov_is_early(pf) &&
	       (u16)id_read(bdf) != PCI_VENDOR_RETRY &&
	       pci_read(bdf, PCI_CLASS_REVISION, 4) != ~0u;
}

static struct vfunc *func_discover(struct passthrough *pci, struct pci_bdf bdf)
{
	u16 index = 0;
	struct vfunc *pf = passthrough_sriov_owner(pci, bdf, &index);
	struct vfunc *f;

	if (pf ? !vf_answers(pf, bdf) : (u16)id_read(bdf) == NO_FUNCTION)
		return NULL;
	f = func_add(pci, bdf, pf, index);
	if (!f)
		return NULL;
	passthrough_hold(f);
	pci->touched++;
	return f;
}

struct vfunc *passthrough_func_known(struct passthrough *pci,
				     struct pci_bdf bdf)
{
	struct vfunc *f = *func_link(pci, bdf);

	return f && passthrough_func_present(f) ? f : NULL;
}

/* The guest may turn it on: a write to a bridge above it sees to it again */
static void func_touch(struct passthrough *pci, struct vfunc *f)
{
	if (!f->seen_to)
		return;
	f->seen_to = 0;
	pci->touched++;
}

struct vfunc *passthrough_func_lock(struct passthrough *pci, struct pci_bdf bdf)
{
	struct vfunc *f;

	spin_lock(&pci->lock);
	f = *func_link(pci, bdf);
	if (f && func_is_stale(f)) {
		if (!func_forget(pci, bdf))
			return NULL;
		f = *func_link(pci, bdf);
	}
	if (!f)
		f = func_discover(pci, bdf);
	if (f)
		func_touch(pci, f);
	return f;
}

void passthrough_func_found(struct pci_bdf bdf, void *arg)
{
	struct passthrough *pci = arg;
	struct vfunc *known = *func_link(pci, bdf);
	struct vfunc *f = known ? known : func_add(pci, bdf, NULL, 0);

	passthrough_guard_report(bdf);
	if (f && !f->kept)
		passthrough_msix_place_first(f);
	else
		passthrough_guard_quiet(bdf);
}

/* One that was forgotten, and has messages yet */
static void drain(struct passthrough *pci, const struct piece *piece)
{
	pci->draining = false;
	for (struct vfunc *f = pci->forgotten; f && !pci->draining; f = f->next)
		pci->draining = !passthrough_msix_drain(f, piece);
}

static struct vfunc *next_left(const struct passthrough *pci)
{
	for (u32 i = 0; i < PASSTHROUGH_HASH; i++)
		for (struct vfunc *f = pci->hash[i]; f; f = f->next)
			if (f->msix.left)
				return f;
	return NULL;
}

/* One entry of some table: others of the guest's cores want the lock, too.
 * True: there are more. */
static bool step(struct passthrough *pci)
{
	const struct piece one = { 0 };
	struct vfunc *f;
	bool more;

	spin_lock(&pci->lock);
	f = pci->draining ? NULL : next_left(pci);
	if (pci->draining)
		drain(pci, &one);
	else if (f)
		passthrough_msix_step(f, &one);
	more = pci->draining || next_left(pci);
	spin_unlock(&pci->lock);
	return more;
}

void passthrough_go_on(struct vcpu *v)
{
	struct passthrough *pci = v->vm->devices[VDEV_passthrough];
	struct piece piece = piece_begin();

	while (step(pci))
		if (piece_over(&piece)) {
			vcpu_post(v, VE_ASSIGN);
			return;
		}
}

static void func_free(struct vfunc *f)
{
	passthrough_sriov_forget(f);
	passthrough_msi_release(f);
	passthrough_msix_release(f);
	kmem_free(&f->pci->vm->budget, f, sizeof(*f));
}

void passthrough_funcs_free(struct passthrough *pci)
{
	const struct piece all = { ~0ull };
	struct vfunc *f;

	for (u32 i = 0; i < PASSTHROUGH_HASH; i++)
		while ((f = pci->hash[i])) {
			pci->hash[i] = f->next;
			func_free(f);
		}
	while ((f = pci->forgotten)) {
		pci->forgotten = f->next;
		while (!passthrough_msix_drain(f, &all))
			;
		passthrough_msix_free(f);
		kmem_free(&pci->vm->budget, f, sizeof(*f));
	}
}
