/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual PCI function, whatever bus it is on: its configuration space, what
 * of it can be written, and what its BARs decode. On an isolated guest's bus it
 * is pci_bus.h's, on the machine's, beside real functions,
 * hv/assign/passthrough_virtual.c's. Who has the bus has the lock for config[].
 */
#ifndef HV_DEVICE_PCI_PCI_FN_H
#define HV_DEVICE_PCI_PCI_FN_H

#include "hv/core/vm.h"

#define PCI_FN_BARS 6

struct pci_fn;

/* What a function does beyond the generic; NULL: nothing. On the exiting vCPU's
 * core, no lock held. */
struct pci_fn_ops {
	/* The guest reads @size bytes of config[] at @offset, which has @value:
	 * what it is to read. On an isolated guest's bus alone. */
	u64 (*config_read)(struct pci_fn *f, u32 offset, u8 size, u64 value);
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
	/* Nobody finds it. On an isolated guest's bus alone; changes while no
	 * vCPU runs and its command register is 0. */
	bool absent;
	const struct pci_fn_ops *ops;
	void *dev;
	/* Of each of these three: PAGE_SIZE, as if it were 0; or less, a power
	 * of two, where no capability lies behind that */
	u32 config_bytes;
	u8 *config; /* what the guest reads */
	u8 *mask;   /* bits the guest may write */
	u8 *clear;  /* bits it clears by writing 1 */
	struct {
		u64 size; /* a power of two; 0: none */
		bool io, is_64, prefetch;
	} bar[PCI_FN_BARS];
};

/* config, mask, clear, config as at power on: in a row, zero at first */
#define PCI_FN_PARTS 4
#define PCI_FN_BYTES (PCI_FN_PARTS * PAGE_SIZE)

/* Takes @pages, PCI_FN_PARTS of config_bytes. The caller has filled vm, devfn,
 * ops, dev, config_bytes and bar[]; @header is the first 64 bytes of its config
 * space. */
void pci_fn_init(struct pci_fn *f, u8 *pages, const u8 header[64]);
/* Define the register of @size bytes (1, 2, 4 or 8) at @offset: it reads @value
 * at power on, and the guest may write the bits of @mask. After pci_fn_init(),
 * while the VM is built; f->clear is the caller's to set. */
void pci_fn_define(struct pci_fn *f, u32 offset, u8 size, u64 value, u64 mask);
/* Config space as it was after pci_fn_init() and pci_fn_define() */
void pci_fn_power_on(struct pci_fn *f);
/* An access of @size bytes of config space; @offset + @size is at most
 * PAGE_SIZE. Behind config_bytes nothing is: it reads 0. */
u64 pci_fn_config_read(const struct pci_fn *f, u32 offset, u8 size);
void pci_fn_config_write(struct pci_fn *f, u32 offset, u8 size, u64 value);
/* The address that BAR @i decodes; 0: none, as the command register has it off,
 * or nobody has placed it yet */
u64 pci_fn_bar_base(const struct pci_fn *f, u32 i);

#endif
