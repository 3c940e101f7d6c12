/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration space of the host: by ECAM where the MCFG table has it,
 * else through ports CF8h and CFCh. Any core, after acpi_init(). pci_lock is
 * taken for the ports, and for the first access to an ECAM range, which maps
 * it. PCI 3.0, 3.2.2.3.2 *Software Generation of Configuration Transactions*;
 * PCIe 4.0, 7.2.2 *PCI Express Enhanced Configuration Access Mechanism (ECAM)*.
 */
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include "drivers/pci/address.h"
#include "lib/types.h"

/*
 * One access of @size bytes, 1, 2 or 4, at @offset, a multiple of it: below
 * 4096 by ECAM, below 256 else. All others, and those to no function, read as
 * ones in @size bytes and write nothing. Only segment 0 is reached through the
 * ports.
 */
u32 pci_read(struct pci_bdf bdf, u16 offset, u8 size);
void pci_write(struct pci_bdf bdf, u16 offset, u8 size, u32 value);
/* Offset of the first capability @id; 0: none. The function's chain may be a
 * loop (PCI 3.0, 6.7 *Capabilities List*). */
u8 pci_find_cap(struct pci_bdf bdf, u8 id);
/* The same of an extended capability; 0 also if there is no ECAM (PCIe 4.0,
 * 7.6.3 *PCI Express Extended Capability Header*) */
u16 pci_find_ext_cap(struct pci_bdf bdf, u16 id);
/* The same of @count kinds, by one walk: an access of a register may take a
 * microsecond */
void pci_find_caps(struct pci_bdf bdf, const u8 *ids, u8 *at, u32 count);
void pci_find_ext_caps(struct pci_bdf bdf, const u16 *ids, u16 *at, u32 count);
/* The ranges of configuration space in memory are nobody else's from now on.
 * Boot CPU, once, after acpi_init(). */
void pci_keep_ecam(void);
/*
 * Calls @fn(bdf, @arg) for each function that is present, in ascending order,
 * without pci_lock: on all buses that MCFG has, or else on the 256 of segment 0
 */
void pci_scan(void (*fn)(struct pci_bdf bdf, void *arg), void *arg);
/* Turns off the MSI and MSI-X that firmware has left on, where no guest gets
 * the device: nobody would answer its messages. PCI 3.0, 6.8.1.3, 6.8.2.3
 * *Message Control*. Boot CPU, before a guest runs. */
void pci_quiet_function(struct pci_bdf bdf);
/* The same of all functions */
void pci_quiet(void);

#endif
