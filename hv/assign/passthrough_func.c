/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's PCI functions as passthrough.c knows them, by address. One is
 * known from the scan while the VM is built, or from its first access (hot
 * plug).
 */
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

	while (*link && ((*link)->bdf.bus != bdf.bus ||
			 (*link)->bdf.devfn != bdf.devfn ||
			 (*link)->bdf.segment != bdf.segment))
		link = &(*link)->next;
	return link;
}

/* No memory: the function stays unknown, and with it all of its config space */
static struct vfunc *func_add(struct passthrough *pci, struct pci_bdf bdf)
{
	struct vfunc **head = &pci->hash[bdf_hash(bdf)];
	struct vfunc *f;

	if (passthrough_is_hidden(bdf))
		return NULL;
	f = kmem_alloc(&pci->vm->budget, sizeof(*f));
	if (!f)
		return NULL;
	f->pci = pci;
	f->bdf = bdf;
	passthrough_guard_init(f);
	passthrough_msi_init(f);
	passthrough_msix_init(f);
	f->next = *head;
	*head = f;
	return f;
}

struct vfunc *passthrough_func_lock(struct passthrough *pci, struct pci_bdf bdf)
{
	struct vfunc *f;

	spin_lock(&pci->lock);
	f = *func_link(pci, bdf);
	if (f || pci_read(bdf, PCI_VENDOR_ID, 2) == NO_FUNCTION)
		return f;
	f = func_add(pci, bdf);
	if (f)
		passthrough_hold(f);
	return f;
}

void passthrough_func_found(struct pci_bdf bdf, void *arg)
{
	struct passthrough *pci = arg;
	struct vfunc *f = *func_link(pci, bdf);

	if (!f)
		f = func_add(pci, bdf);
	if (f)
		passthrough_msix_place_first(f);
}

static void func_free(struct vfunc *f)
{
	passthrough_msi_release(f);
	passthrough_msix_release(f);
	kmem_free(&f->pci->vm->budget, f, sizeof(*f));
}

void passthrough_funcs_free(struct passthrough *pci)
{
	struct vfunc *f;

	for (u32 i = 0; i < PASSTHROUGH_HASH; i++)
		while ((f = pci->hash[i])) {
			pci->hash[i] = f->next;
			func_free(f);
		}
}
