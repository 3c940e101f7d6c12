/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device's interrupts: MSI-X where the driver has turned it on, else
 * INTA, which is up while the ISR status is not zero (virtio 1.2, 4.1.4.5,
 * 4.1.5.3, 4.1.5.4). Any core. irq_lock keeps ISR status and line together.
 */
#include "hv/core/vcpu.h"
#include "hv/device/pci/pci_bus.h"
#include "hv/device/virtio/virtio_priv.h"

#define INTA 0u

/* Under irq_lock */
static void line_follow(struct virtio *d)
{
	pci_bus_intx(&d->fn, INTA, d->isr && !pci_msix_enabled(&d->msix));
}

static void isr_set(struct virtio *d, u8 bits)
{
	spin_lock(&d->irq_lock);
	d->isr |= bits;
	line_follow(d);
	spin_unlock(&d->irq_lock);
}

u8 virtio_isr_take(struct virtio *d)
{
	u8 isr;

	spin_lock(&d->irq_lock);
	isr = d->isr;
	d->isr = 0;
	line_follow(d);
	spin_unlock(&d->irq_lock);
	return isr;
}

void virtio_isr_clear(struct virtio *d)
{
	(void)virtio_isr_take(d);
}

void virtio_irq_follow(struct virtio *d)
{
	spin_lock(&d->irq_lock);
	line_follow(d);
	spin_unlock(&d->irq_lock);
	if (pci_msix_go_on(&d->msix))
		virtio_serve(d);
}

/* VIRTIO_NO_VECTOR is no vector of the table, and none is sent */
void virtio_queue_interrupt(struct virtio *d, u32 i)
{
	if (pci_msix_enabled(&d->msix))
		pci_msix_send(&d->msix, READ_ONCE(d->queues[i].vector));
	else
		isr_set(d, VIRTIO_ISR_QUEUE);
}

/* The ISR status has this one with MSI-X, too (4.1.4.5.1) */
static void config_interrupt(struct virtio *d)
{
	isr_set(d, VIRTIO_ISR_CONFIG);
	pci_msix_send(&d->msix, d->config_vector);
}

void virtio_config_interrupt(struct virtio *d)
{
	d->config_changed = true;
	if (d->status & VIRTIO_DRIVER_OK)
		config_interrupt(d);
}

void virtio_break(struct virtio *d)
{
	d->status |= VIRTIO_NEEDS_RESET;
	if (d->status & VIRTIO_DRIVER_OK)
		config_interrupt(d);
}
