/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI Express root complex of an isolated guest: bus 0 with its functions.
 * Config space is accessed by CF8h/CFCh and by ECAM (PCI Express 5.0, 7.2.2);
 * BARs decode where the guest moves them. Called by the functions' devices.
 *
 * Lock: the bus's own, for its state and every function's config[]. A
 * function's callbacks run without it and may take a lock of their own, which
 * comes before the bus's. The interrupt controllers' locks come after it.
 */
#ifndef HV_DEVICE_PCI_PCI_BUS_H
#define HV_DEVICE_PCI_PCI_BUS_H

#include "hv/core/vm.h"

#define PCI_FN_BARS 6

struct pci_fn;

/* What a function does beyond the generic; NULL: nothing. On the exiting vCPU's
 * core, no lock held. */
struct pci_fn_ops {
	/* The guest wrote @size bytes of config[] at @offset, by its mask */
	void (*config_written)(struct pci_fn *f, u32 offset, u8 size);
	/* An access of @size bytes at @offset in BAR @bar, all in the BAR */
	u64 (*bar_read)(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
			u8 size);
	void (*bar_write)(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
			  u8 size, u64 value);
	/* config[] is as at power on again; no vCPU runs */
	void (*reset)(struct pci_fn *f);
};

struct pci_fn {
	struct vm *vm;
	u8 devfn;
	const struct pci_fn_ops *ops;
	void *dev;
	u8 *config; /* 4 KiB, what the guest reads */
	u8 *mask;   /* 4 KiB, bits the guest may write */
	u8 *clear;  /* 4 KiB, bits it clears by writing 1 */
	struct {
		u64 size; /* a power of two; 0: none */
		bool io, is_64, prefetch;
	} bar[PCI_FN_BARS];
};

/* Put @f on the bus, while the VM is built; it lives as long as the VM. The
 * caller has filled vm, devfn, ops, dev and bar[]; @header is the first 64
 * bytes of its config space. -EEXIST: another one has the devfn; -ENOSPC: 64
 * functions are there; -ENOMEM; for a first I/O BAR also those of bus_add(). */
int __must_check pci_bus_add(struct pci_fn *f, const u8 header[64]);
/* Define the register of @size bytes (1, 2, 4 or 8) at @offset: it reads @value
 * at power on, and the guest may write the bits of @mask. After pci_bus_add(),
 * while the VM is built; f->clear is the caller's to set. */
void pci_bus_define(struct pci_fn *f, u32 offset, u8 size, u64 value, u64 mask);
/*
 * Set the level of a function's pin INTA (0) to INTD (3). Any core; takes the
 * bus's lock, the function's own may be held. Pin p of device d is PIRQ
 * E + (d + p) % 4, so GSI 20 to 23, for devices 0 to 24. For devices 25 to 31
 * the chipset's DnnIR registers say it: at power on INTA is PIRQ A (GSI 16) and
 * so on.
 */
void pci_bus_intx(struct pci_fn *f, u32 pin, bool level);

#endif
