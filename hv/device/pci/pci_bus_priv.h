/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to hv/device/pci/ and the board's own functions (q35.c) */
#ifndef HV_DEVICE_PCI_PCI_BUS_PRIV_H
#define HV_DEVICE_PCI_PCI_BUS_PRIV_H

#include "arch/x86/cpu/spinlock.h"
#include "hv/device/pci/pci_bus.h"

#define PCI_BUS_MAX_FNS   64u
#define PCI_BUS_NO_SLOT   0xffu
#define PCI_BUS_PIRQS     8u
#define PCI_BUS_PINS      4u
#define PCI_BUS_DEVICES   32u
#define PCI_BUS_ISA_LINES 16u
#define PCI_BUS_NO_ISA    0xffu
/* The board's functions have no extended capabilities */
#define PCI_BUS_CONFIG_BYTES 256u
#define PCI_BUS_FN_BYTES     (PCI_FN_PARTS * PCI_BUS_CONFIG_BYTES)

/* One function of bus 0. The pages outlive f, which its device frees first. */
struct pci_bus_slot {
	struct pci_fn *f;
	u8 *pages; /* PCI_BUS_FN_BYTES */
	u8 devfn;
	u8 intx; /* bit per pin: what the function asserts */
};

struct pci_bus {
	struct vm *vm;
	struct spinlock lock;
	u32 address;           /* CF8h */
	u8 reset_control;      /* CF9h */
	u64 ecam, ecam_size;   /* size 0: not decoded */
	u8 isa[PCI_BUS_PIRQS]; /* 8259 line of each PIRQ, or PCI_BUS_NO_ISA */
	u8 pirq[PCI_BUS_DEVICES][PCI_BUS_PINS]; /* 0: A ... 7: H */
	u32 pirq_levels;                        /* what the IOAPIC sees */
	u32 isa_levels;                         /* what the ISA lines see */
	u32 count;
	u8 index[256]; /* by devfn: of slots[], or PCI_BUS_NO_SLOT */
	struct pci_bus_slot slots[PCI_BUS_MAX_FNS];
};
static_assert(sizeof(struct pci_bus) <= 2048, "one small object");

static inline struct pci_bus *pci_bus_of(const struct vm *vm)
{
	return vm->devices[VDEV_pci_bus];
}

/* Under the lock, or while the VM is built. NULL: no function is there. */
static inline struct pci_bus_slot *pci_bus_slot_of(struct pci_bus *bus,
						   u8 devfn)
{
	u8 i = bus->index[devfn];

	return i == PCI_BUS_NO_SLOT ? NULL : &bus->slots[i];
}

/* pci_bus.c: claim the PCI I/O window, once. Only a guest with an I/O BAR pays
 * for so many claimed ports. -ENOSPC, -EEXIST as bus_add(). */
int pci_bus_io_window_add(struct pci_bus *bus);

/* pci_bus_bar.c. Find the function, BAR and offset that decode all @size bytes
 * at @addr; NULL: none does. Under the lock. */
struct pci_fn *pci_bus_bar_find(const struct pci_bus *bus, bool io, u64 addr,
				u8 size, u32 *bar, u64 *offset);
/* pci_bus_irq.c. Let the interrupt lines follow changes. Under the lock. */
void pci_bus_irq_update(struct pci_bus *bus);

/* For the chipset, which does not hold the lock: decode ECAM at @base, or with
 * @size 0 nowhere */
void pci_bus_set_ecam(struct vm *vm, u64 base, u64 size);
/* Route @pirq (0 to 7) to the 8259's line @isa (0 to 15), or PCI_BUS_NO_ISA */
void pci_bus_set_isa(struct vm *vm, u32 pirq, u8 isa);
/* Wire pin INTA + @pin of device @device to PIRQ @pirq (0 to 7) */
void pci_bus_set_pirq(struct vm *vm, u32 device, u32 pin, u8 pirq);

#endif
