/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How configuration space is addressed: by the port CF8h (PCI 3.0, 3.2.2.3.2
 * *Software Generation of Configuration Transactions*). Also by memory, ECAM
 * (PCIe 4.0, 7.2.2 *PCI Express Enhanced Configuration Access Mechanism
 * (ECAM)*). Pure; for the host's functions (pci.c) and for virtual ones (hv/).
 */
#ifndef DRIVERS_PCI_ADDRESS_H
#define DRIVERS_PCI_ADDRESS_H

#include "include/hw/pci.h"
#include "lib/types.h"

/* A function */
struct pci_bdf {
	u16 segment;
	u8 bus;
	u8 devfn; /* device 7:3, function 2:0 */
};

/* A register of a function, or a byte of one */
struct pci_address {
	struct pci_bdf bdf;
	u32 reg;
};

/* pci_bdf.devfn of @device, 0 to 31, and @function, 0 to 7, and these back */
static inline u8 pci_devfn(u32 device, u32 function)
{
	return (u8)(device << 3 | function);
}

static inline u32 pci_device(struct pci_bdf bdf)
{
	return bdf.devfn >> 3;
}

static inline u32 pci_function(struct pci_bdf bdf)
{
	return bdf.devfn & 7u;
}

static inline bool pci_same(struct pci_bdf a, struct pci_bdf b)
{
	return a.segment == b.segment && a.bus == b.bus && a.devfn == b.devfn;
}

/*
 * CF8h: enable 31, bus 23:16, function 15:8, register 7:2; bits 27:24 are
 * register bits 11:8 where AMD's extension is on, else 0. @byte: which of the
 * four at CFCh.
 */
static inline struct pci_address pci_port_split(u32 address, u32 byte)
{
	return (struct pci_address){
		.bdf = { .bus = (u8)(address >> 16),
			 .devfn = (u8)(address >> 8) },
		.reg = (address & 0xfc) | (address >> 16 & 0xf00) | byte,
	};
}

/* The value of CF8h for @reg, below 256, of segment 0 */
static inline u32 pci_port_address(struct pci_bdf bdf, u32 reg)
{
	return PCI_ADDRESS_ENABLE | (u32)bdf.bus << 16 | (u32)bdf.devfn << 8 |
	       (reg & 0xfc);
}

/* ECAM: bus 27:20, function 19:12, register 11:0, from where bus 0 would be */
static inline struct pci_address pci_ecam_split(u64 offset)
{
	return (struct pci_address){
		.bdf = { .bus = (u8)(offset >> 20),
			 .devfn = (u8)(offset >> 12) },
		.reg = (u32)(offset & (PCI_ECAM_BYTES - 1)),
	};
}

/* Where the function's PCI_ECAM_BYTES are, from the start of a range. @bus is
 * counted from the range's first. */
static inline u64 pci_ecam_offset(u32 bus, u8 devfn)
{
	return bus * PCI_ECAM_BUS_BYTES + (u64)devfn * PCI_ECAM_BYTES;
}

#endif
