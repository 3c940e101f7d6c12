/* SPDX-License-Identifier: BSD-2-Clause */
/* Between virtio_pci.c, which has the function, virtio_common.c, which has the
 * common configuration, and virtio_irq.c */
#ifndef HV_DEVICE_VIRTIO_VIRTIO_PRIV_H
#define HV_DEVICE_VIRTIO_VIRTIO_PRIV_H

#include "hv/device/virtio/virtio.h"

/* Where the structures are in the one BAR. Notifications have a page, and so
 * have table and pending bits. */
#define VIRTIO_BAR        0u
#define VIRTIO_BAR_BYTES  KIB(16)
#define VIRTIO_AT_COMMON  0x0000u
#define VIRTIO_AT_ISR     0x0100u
#define VIRTIO_AT_DEVICE  0x0200u
#define VIRTIO_AT_NOTIFY  0x1000u
#define VIRTIO_AT_TABLE   0x2000u
#define VIRTIO_AT_PBA     0x3000u
#define VIRTIO_MULTIPLIER 4u
#define VIRTIO_MAX_QUEUES (PAGE_SIZE / PCI_MSIX_ENTRY_BYTES - 1)

/* virtio_common.c: an access at @offset of the common configuration. Takes
 * virtio.lock. One that 4.1.3.1 forbids reads as ones, and changes nothing. */
u64 virtio_common_read(struct virtio *d, u64 offset, u8 size);
void virtio_common_write(struct virtio *d, u64 offset, u8 size, u64 value);
/* As after a reset. virtio.lock is held. */
void virtio_reset(struct virtio *d);
static inline bool virtio_has(const struct virtio *d, u64 feature)
{
	return d->status & VIRTIO_FEATURES_OK && d->accepted & feature;
}

/* virtio_irq.c: the ISR status as the driver reads it, which clears it */
u8 virtio_isr_take(struct virtio *d);
/* Queue @q, or all of them, are live no longer and have no vector. What they
 * have told the driver of, and it has not heard of yet, is forgotten. @d->lock
 * is held. */
void virtio_irq_stop(struct virtio *d, struct virtio_queue *q);
void virtio_irq_reset(struct virtio *d);
/* MSI-X may have been turned on or off, or unmasked, or the function become bus
 * master: what waits for that is sent, some of it. True: there is more. */
bool virtio_irq_go_on(struct virtio *d);

#endif
