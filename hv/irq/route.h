/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical interrupts that belong to the privileged guest: IOAPIC pins and
 * MSI/MSI-X messages. Each has a host vector on the core of the vCPU that the
 * guest aims it at; an arrival becomes a vLAPIC bit (MSI) or a vIOAPIC line.
 * Level-triggered pins stay masked from the arrival to the guest's EOI.
 */
#ifndef HV_IRQ_ROUTE_H
#define HV_IRQ_ROUTE_H

#include "hv/core/vm.h"

/* Called by the vIOAPIC when the guest unmasks / changes / masks a pin's RTE */
int __must_check irq_route_pin(struct vm *vm, u32 gsi, u64 rte);
void irq_unroute_pin(struct vm *vm, u32 gsi);
/* The guest's EOI reached @gsi */
void irq_route_eoi(struct vm *vm, u32 gsi);

/* @gsi is the hypervisor's: the guest's pin is never routed to it */
void irq_route_reserve(u32 gsi);

struct irq_msi; /* one routed message */
/* What the guest wrote (address, data) -> what the hardware must get. *msi NULL
 * at first; kept by the caller. */
int __must_check irq_route_msi(struct vm *vm, u64 guest_addr, u32 guest_data,
			       struct irq_msi **msi, u64 *host_addr,
			       u32 *host_data);
/* How to silence its source when it storms; called in interrupt context on any
 * core, with no lock of irq_route's */
void irq_msi_on_storm(struct irq_msi *msi, void (*mask)(void *dev, bool masked),
		      void *dev);
void irq_unroute_msi(struct irq_msi *msi);

#endif
