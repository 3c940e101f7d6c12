/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INTx (PCI 3.0, 2.2.6 *Interrupt Pins*). A function's pins go to the eight
 * PIRQs as the chipset wires its device. A PIRQ goes to its own IOAPIC pin (GSI
 * 16 to 23) and, if the LPC bridge routes it, to an ISA line. A line is the OR
 * of all functions that share it, worked out anew at each change; what other
 * devices add to it is line_set_source()'s.
 *
 * Under the bus's lock; the interrupt controllers' come after it.
 */
#include "hv/core/pc_map.h"
#include "hv/device/pci/pci_bus_priv.h"
#include "hv/irq/lines.h"
#include "include/hw/pci.h"

static u32 pirqs_of(const struct pci_bus *bus, const struct pci_bus_slot *s)
{
	u32 levels = 0;

	if (s->f->config[PCI_COMMAND + 1] & PCI_COMMAND_INTX_OFF >> 8)
		return 0;
	for (u32 pin = 0; pin < PCI_BUS_PINS; pin++)
		if (s->intx & 1u << pin)
			levels |= 1u << bus->pirq[s->devfn >> 3][pin];
	return levels;
}

static u32 isa_of(const struct pci_bus *bus, u32 pirqs)
{
	u32 levels = 0;

	for (u32 i = 0; i < PCI_BUS_PIRQS; i++)
		if (pirqs & 1u << i && bus->isa[i] < PCI_BUS_ISA_LINES)
			levels |= 1u << bus->isa[i];
	return levels;
}

/* Set the lines that changed; bit n of @now is line @first + n */
static void lines_follow(struct vm *vm, u32 first, u32 *was, u32 now)
{
	u32 changed = *was ^ now;

	*was = now;
	for (u32 i = 0; changed >> i; i++)
		if (changed >> i & 1)
			line_set_source(vm, first + i, LINE_SOURCE_PCI,
					now >> i & 1);
}

void pci_bus_irq_update(struct pci_bus *bus)
{
	u32 pirqs = 0;

	for (u32 i = 0; i < bus->count; i++)
		if (bus->slots[i].intx)
			pirqs |= pirqs_of(bus, &bus->slots[i]);
	lines_follow(bus->vm, PC_GSI_PIRQ_A, &bus->pirq_levels, pirqs);
	lines_follow(bus->vm, 0, &bus->isa_levels, isa_of(bus, pirqs));
}

void pci_bus_intx(struct pci_fn *f, u32 pin, bool level)
{
	struct pci_bus *bus = pci_bus_of(f->vm);
	struct pci_bus_slot *s = &bus->slots[bus->index[f->devfn]];
	u8 bit = (u8)(1u << (pin % PCI_BUS_PINS));

	spin_lock(&bus->lock);
	s->intx = (u8)(level ? s->intx | bit : s->intx & ~bit);
	f->config[PCI_STATUS] &= (u8)~PCI_STATUS_INTX;
	if (s->intx)
		f->config[PCI_STATUS] |= PCI_STATUS_INTX;
	pci_bus_irq_update(bus);
	spin_unlock(&bus->lock);
}

void pci_bus_set_isa(struct vm *vm, u32 pirq, u8 isa)
{
	struct pci_bus *bus = pci_bus_of(vm);

	spin_lock(&bus->lock);
	bus->isa[pirq % PCI_BUS_PIRQS] = isa;
	pci_bus_irq_update(bus);
	spin_unlock(&bus->lock);
}

void pci_bus_set_pirq(struct vm *vm, u32 device, u32 pin, u8 pirq)
{
	struct pci_bus *bus = pci_bus_of(vm);

	spin_lock(&bus->lock);
	bus->pirq[device % PCI_BUS_DEVICES][pin % PCI_BUS_PINS] =
		pirq % PCI_BUS_PIRQS;
	pci_bus_irq_update(bus);
	spin_unlock(&bus->lock);
}
