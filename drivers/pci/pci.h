/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration space of the host, by ECAM where MCFG has it, else
 * CF8/CFC under pci_lock (PCI 3.0, 3.2.2.3.2; PCIe 4.0, 7.2.2) */
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include "drivers/pci/address.h"
#include "lib/types.h"

u32 pci_read(struct pci_bdf bdf, u16 offset, u8 size);
void pci_write(struct pci_bdf bdf, u16 offset, u8 size, u32 value);
/* Capability offset in config space, 0: none */
u8 pci_find_cap(struct pci_bdf bdf, u8 id);
/* Call @fn for each function present, bus 0 downward through bridges */
void pci_scan(void (*fn)(struct pci_bdf bdf, void *arg), void *arg);
#endif
