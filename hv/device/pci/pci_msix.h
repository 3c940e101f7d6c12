/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI-X of a virtual function (PCI 3.0, 6.8.2): capability, table and pending
 * bits. What it sends goes to the vLAPICs that the guest's messages name.
 * Called by the function's device. Lock: its own, a leaf; the device's may be
 * held.
 */
#ifndef HV_DEVICE_PCI_PCI_MSIX_H
#define HV_DEVICE_PCI_PCI_MSIX_H

#include "arch/x86/cpu/spinlock.h"
#include "hv/device/pci/pci_fn.h"
#include "hv/irq/vlapic.h"
#include "include/hw/pci.h"

struct pci_msix_vector {
	u32 word[4]; /* address low and high, data, control */
	struct vlapic_late late;
};

/* All but lock, vectors and pending is constant, and the caller's to set
 * before pci_msix_init(). Table and pending bits are in one BAR, neither
 * overlaps the other. */
struct pci_msix {
	struct pci_fn *f;
	u8 cap;         /* offset of its capability */
	u8 bar;         /* index of the BAR */
	u16 count;      /* of vectors, 1 to PCI_MSIX_MAX */
	u32 table, pba; /* offsets in the BAR */
	struct spinlock lock;
	struct pci_msix_vector *vectors;
	u64 pending[PCI_MSIX_MAX / 64];
};

/* Makes the table, all masked, and defines the capability, the last one of its
 * function. After pci_fn_init(); charged to the VM's budget. -ENOMEM. */
int __must_check pci_msix_init(struct pci_msix *m);
void pci_msix_destroy(struct pci_msix *m);
/* As at power on, with the function's config space. No vCPU runs. */
void pci_msix_reset(struct pci_msix *m);
/* Is it on, by the function's control register? Any core. */
bool pci_msix_enabled(const struct pci_msix *m);
/* Sends @vector, or keeps it as pending while it is masked, or the function not
 * bus master. False: MSI-X is off, and nothing came of it. Any core, any
 * context. */
bool pci_msix_send(struct pci_msix *m, u32 vector);
/* @vector is pending: pci_msix_go_on() sends it. Any core. */
void pci_msix_pend(struct pci_msix *m, u32 vector);
/* @vector is pending no longer, and no message comes of it. Any core. */
void pci_msix_forget(struct pci_msix *m, u32 vector);
/* Nor is any other. True: some was. */
bool pci_msix_forget_all(struct pci_msix *m);
/* Accesses to the BAR, as struct pci_fn_ops has them */
u64 pci_msix_read(struct pci_msix *m, u64 offset, u8 size);
void pci_msix_write(struct pci_msix *m, u64 offset, u8 size, u64 value);
/* After a write of config space: if MSI-X is on, its function not masked, and
 * bus master, sends some of what is pending. True: there is more, call it
 * again. What is pending when MSI-X is off is the caller's to forget. */
bool pci_msix_go_on(struct pci_msix *m);

#endif
