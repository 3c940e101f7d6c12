/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical interrupts that belong to the privileged guest: IOAPIC pins and
 * MSI/MSI-X messages. Each arrives on the core of the vCPU that the guest aims
 * it at, by a vector of all cores (pins, MSI) or of that core (MSI-X), see
 * arch/x86/machine/irq.h. It becomes a vLAPIC bit (MSI) or a vIOAPIC line.
 * Level-triggered pins stay masked from the arrival to the guest's EOI. Pins
 * are the vIOAPIC's to route, messages hv/assign's.
 *
 * Locks: one for all pins (route.c), one for all messages (msi.c), both below
 * the callers'. The physical IOAPIC's lock comes after that of the pins.
 */
#ifndef HV_IRQ_ROUTE_H
#define HV_IRQ_ROUTE_H

#include "drivers/pci/pci.h"
#include "hv/core/vm.h"

/*
 * Aim the physical pin @gsi as the guest's unmasked redirection entry @rte says
 * (82093AA 3.2.4), and unmask it unless it awaits an EOI or is throttled. Any
 * core; the vIOAPIC's lock may be held.
 * -ENODEV: the machine has no such pin; -ENOMEM; -ENOTSUP: delivery mode ExtINT
 * or SMI, or a core whose APIC id no RTE can name; -EBUSY: the pin is the
 * hypervisor's; -ENOSPC: no host vector is left, which is logged. After an
 * error the pin is masked, as after irq_unroute_pin().
 */
int __must_check irq_route_pin(struct vm *vm, u32 gsi, u64 rte);
/* irq_unroute_pin(): the guest masked the pin, or is reset: mask @gsi.
 * irq_route_eoi(): the guest's EOI reached @gsi: it may interrupt again.
 * Both: any core, the vIOAPIC's lock may be held; no effect on a pin that is
 * not routed to @vm. */
void irq_unroute_pin(struct vm *vm, u32 gsi);
void irq_route_eoi(struct vm *vm, u32 gsi);

/* The core that a physical interrupt for @v is aimed at: its own, or where the
 * 8 bits of an RTE or message cannot name that, another of its guest's. One
 * whose APIC id is above XAPIC_ID_MAX if the guest has no other. No lock. */
struct pcpu *irq_core(const struct vcpu *v);
/* @gsi is the hypervisor's: irq_route_pin() refuses it from now on. Boot CPU,
 * before any guest is started. */
void irq_route_reserve(u32 gsi);

/* What sends messages: a capability of a function */
struct irq_source {
	struct vm *vm;
	struct pci_bdf bdf;
	/* The hardware's message cannot be masked while it changes, and changes
	 * register by register: its vector stays, and a move is one write */
	bool in_steps;
	bool told; /* the log has named it for want of vectors */
};

/* Whose physical interrupts come to @irq, a guest's pin or message: *@vm, NULL
 * if nobody's now, and which one it is. False: it is no pin, or no message. Any
 * core; each takes the lock of its kind. */
struct irq;
bool irq_is_pin(const struct irq *irq, const struct vm **vm, u32 *gsi);
bool irq_is_message(const struct irq *irq, const struct vm **vm,
		    struct pci_bdf *bdf);
/* How often a pin, and a message, has changed its guest */
u64 irq_pin_changes(void);
u64 irq_message_changes(void);

struct msi_message {
	u64 addr;
	u32 data;
};

struct irq_msi; /* one routed message */
/*
 * Route the message that the guest wrote (SDM 3A 11.11 *Message Signalled
 * Interrupts*); *@host is what the hardware must get. *@msi is NULL at first,
 * then the caller's handle. The vector is one of the core of the vCPU that
 * @guest names; where all of those are taken, of another core of the guest, and
 * else it is shared. Any core; the device's lock serializes calls for one
 * handle.
 * -EINVAL: not the LAPICs' address, or a vector below 16. -ENOTSUP: the target
 * core's APIC id has more than 8 bits. -ENOSPC: no row or host vector is left,
 * which is logged. After an error the handle's old message is still routed.
 */
int __must_check irq_route_msi(struct irq_source *source,
			       const struct msi_message *guest,
			       struct irq_msi **msi, struct msi_message *host);
/*
 * Does @host of irq_route_msi() differ from before in its vector? Then both are
 * routed until the hardware has it, and irq_msi_moved() comes before the next
 * irq_route_msi(): the old one can be sent no more. Under the device's lock.
 */
bool irq_msi_moves(const struct irq_msi *msi);
void irq_msi_moved(struct irq_msi *msi);
/*
 * Who masks @msi's source while it storms: @on_storm(@dev) comes whenever
 * irq_msi_throttled() has changed. It is called in interrupt context on any
 * core with no lock held, so it may take the device's. Two calls may meet:
 * under that lock the hook asks irq_msi_throttled(), and the last one is right.
 */
void irq_msi_on_storm(struct irq_msi *msi, void (*on_storm)(void *dev),
		      void *dev);
/* Is the source to be masked? A new row may begin with a storm of its last
 * owner. Any core. */
bool irq_msi_throttled(const struct irq_msi *msi);
/* Give the row back; the hardware sends the message no more. Arrivals are
 * dropped from now on, but an arrival or @on_storm may still be under way on
 * another core: @dev must outlive that. */
void irq_unroute_msi(struct irq_msi *msi);

#endif
