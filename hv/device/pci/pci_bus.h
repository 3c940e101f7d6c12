/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI Express root complex of an isolated guest: bus 0 with its functions,
 * config access by CF8h/CFCh and by ECAM (PCI Express 5.0, 7.2.2), BARs decoded
 * where the guest moves them. Lock: the bus's own, for CF8h, PCIEXBAR and where
 * the BARs are; a function's callbacks run without it, under their own.
 */
#ifndef HV_DEVICE_PCI_PCI_BUS_H
#define HV_DEVICE_PCI_PCI_BUS_H

#include "hv/core/vm.h"

#define PCI_FN_BARS 6

struct pci_fn;

/* NULL members: nothing beyond the generic behaviour */
struct pci_fn_ops {
	/* After the generic write to config[]: @offset, @size changed */
	void (*config_written)(struct pci_fn *f, u32 offset, u8 size);
	u64 (*bar_read)(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
			u8 size);
	void (*bar_write)(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
			  u8 size, u64 value);
	void (*reset)(struct pci_fn *f); /* config[] is as at creation again */
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

/* While the VM is built. The caller has filled vm, devfn, ops, dev and bar[];
 * @header: the first 64 bytes. -EEXIST, -ENOMEM */
int __must_check pci_bus_add(struct pci_fn *f, const u8 header[64]);
/* After pci_bus_add(), while the VM is built: registers at @offset read @value
 * at power on, and the guest may write the bits of @mask. f->clear is the
 * caller's to set. @size: 1, 2, 4 or 8. */
void pci_bus_define(struct pci_fn *f, u32 offset, u8 size, u64 value, u64 mask);
/*
 * INTx of a function: level of pin INTA (0) to INTD (3). Any core, before the
 * interrupt controllers' locks. Devices 0 to 24: pin p of device d is PIRQ
 * E + (d + p) % 4, so GSI 20 to 23; 25 to 31: as the chipset's DnnIR registers
 * say, INTA to PIRQ A (GSI 16) and so on at power on.
 */
void pci_bus_intx(struct pci_fn *f, u32 pin, bool level);

#endif
