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

#include "hv/device/pci/pci_fn.h"

/* Put @f on the bus, while the VM is built; it lives as long as the VM. The
 * caller has filled vm, devfn, ops, dev and bar[]; @header is the first 64
 * bytes of its config space. -EEXIST: another one has the devfn; -ENOSPC: 64
 * functions are there; -ENOMEM; for a first I/O BAR also those of bus_add(). */
int __must_check pci_bus_add(struct pci_fn *f, const u8 header[64]);
/*
 * Set the level of a function's pin INTA (0) to INTD (3). Any core; takes the
 * bus's lock, the function's own may be held. Pin p of device d is PIRQ
 * E + (d + p) % 4, so GSI 20 to 23, for devices 0 to 24. For devices 25 to 31
 * the chipset's DnnIR registers say it: at power on INTA is PIRQ A (GSI 16) and
 * so on.
 */
void pci_bus_intx(struct pci_fn *f, u32 pin, bool level);

#endif
