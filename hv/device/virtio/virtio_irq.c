/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device's interrupts: MSI-X where the driver has turned it on, else
 * INTA, which is up while the ISR status is not zero (virtio 1.2, 4.1.4.5,
 * 4.1.5.3, 4.1.5.4). Any core.
 *
 * What the driver is told, and by which way, is decided and done under
 * irq_lock. The driver may turn MSI-X on or off meanwhile: by_msix follows in
 * virtio_irq_go_on(), and what was told by the way that it has left is told by
 * the other one, so that nothing is lost.
 */
#include "hv/core/vcpu.h"
#include "hv/device/pci/pci_bus.h"
#include "hv/device/virtio/virtio_priv.h"

#define INTA 0u

/* --- under irq_lock --- */

static void isr_change(struct virtio *d, u8 isr)
{
	d->isr = isr;
	pci_bus_intx(&d->fn, INTA, d->isr && !d->by_msix);
}

/* VIRTIO_NO_VECTOR is no vector of the table, and none is sent */
static void queue_tell(struct virtio *d, const struct virtio_queue *q)
{
	if (!d->by_msix || !pci_msix_send(&d->msix, READ_ONCE(q->vector)))
		isr_change(d, d->isr | VIRTIO_ISR_QUEUE);
}

/* To MSI-X: which queue the ISR status was set for is not known, so each tells
 * again, by what virtio_irq_go_on() sends. From it: what is pending goes to the
 * ISR status. */
static void way_change(struct virtio *d, bool by_msix)
{
	u8 isr = d->isr;

	d->by_msix = by_msix;
	if (!by_msix) {
		if (pci_msix_forget_all(&d->msix))
			isr |= VIRTIO_ISR_QUEUE;
		isr_change(d, isr);
		return;
	}
	isr_change(d, isr & (u8)~VIRTIO_ISR_QUEUE);
	for (u32 i = 0; isr & VIRTIO_ISR_QUEUE && i < d->queue_count; i++)
		if (READ_ONCE(d->queues[i].live))
			pci_msix_pend(&d->msix, READ_ONCE(d->queues[i].vector));
	if (isr & VIRTIO_ISR_CONFIG)
		pci_msix_pend(&d->msix, READ_ONCE(d->config_vector));
}

/* Does another queue, or the configuration, have @vector? */
static bool is_shared(const struct virtio *d, u16 vector)
{
	if (d->config_vector == vector)
		return true;
	for (u32 i = 0; i < d->queue_count; i++)
		if (d->queues[i].live && d->queues[i].vector == vector)
			return true;
	return false;
}

static bool some_is_live(const struct virtio *d)
{
	for (u32 i = 0; i < d->queue_count; i++)
		if (d->queues[i].live)
			return true;
	return false;
}

static void queue_silence(struct virtio_queue *q)
{
	WRITE_ONCE(q->live, false);
	WRITE_ONCE(q->vector, VIRTIO_NO_VECTOR);
}

/* --- */

u8 virtio_isr_take(struct virtio *d)
{
	u8 isr;

	spin_lock(&d->irq_lock);
	isr = d->isr;
	isr_change(d, 0);
	spin_unlock(&d->irq_lock);
	return isr;
}

void virtio_irq_stop(struct virtio *d, struct virtio_queue *q)
{
	u16 vector;

	spin_lock(&d->irq_lock);
	vector = q->vector;
	queue_silence(q);
	if (!is_shared(d, vector))
		pci_msix_forget(&d->msix, vector);
	if (!some_is_live(d))
		isr_change(d, d->isr & (u8)~VIRTIO_ISR_QUEUE);
	spin_unlock(&d->irq_lock);
}

void virtio_irq_reset(struct virtio *d)
{
	spin_lock(&d->irq_lock);
	for (u32 i = 0; i < d->queue_count; i++)
		queue_silence(&d->queues[i]);
	WRITE_ONCE(d->config_vector, VIRTIO_NO_VECTOR);
	d->by_msix = pci_msix_enabled(&d->msix);
	(void)pci_msix_forget_all(&d->msix);
	isr_change(d, 0);
	spin_unlock(&d->irq_lock);
}

bool virtio_irq_go_on(struct virtio *d)
{
	bool enabled, more;

	spin_lock(&d->irq_lock);
	enabled = pci_msix_enabled(&d->msix);
	if (enabled != d->by_msix)
		way_change(d, enabled);
	more = pci_msix_go_on(&d->msix);
	spin_unlock(&d->irq_lock);
	return more;
}

void virtio_queue_interrupt(struct virtio *d, u32 i)
{
	spin_lock(&d->irq_lock);
	if (READ_ONCE(d->queues[i].live))
		queue_tell(d, &d->queues[i]);
	spin_unlock(&d->irq_lock);
}

/* The ISR status has this one with MSI-X, too (4.1.4.5.1) */
static void config_interrupt(struct virtio *d)
{
	spin_lock(&d->irq_lock);
	isr_change(d, d->isr | VIRTIO_ISR_CONFIG);
	if (d->by_msix)
		(void)pci_msix_send(&d->msix, d->config_vector);
	spin_unlock(&d->irq_lock);
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
