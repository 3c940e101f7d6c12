/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transport of an isolated guest's virtio devices: virtio 1.2 over PCI,
 * without the legacy interface (4.1). It has the function, its registers, the
 * negotiation and the interrupts. Who serves the queues is the device's to say:
 * it is told of a queue that goes live, and of what the driver notifies. A ring
 * that the hypervisor serves itself is vring.h's.
 *
 * Locks: virtio.lock has the registers and is held in a device's callbacks, but
 * for notified(). irq_lock has the ISR status, the way of interrupts, and which
 * queue has them; it comes after virtio.lock, then the PCI bus's lock and the
 * MSI-X table's. A queue's vector and whether it is live change under
 * virtio.lock, and its end under both.
 */
#ifndef HV_DEVICE_VIRTIO_VIRTIO_H
#define HV_DEVICE_VIRTIO_VIRTIO_H

#include "hv/device/pci/pci_msix.h"
#include "include/hw/virtio.h"

struct virtio;

struct virtio_ops {
	/* The device's own configuration space: an access within
	 * virtio.config_bytes, aligned, of 1, 2 or 4 bytes. NULL: it has none;
	 * or nothing of it is the driver's to write. */
	u64 (*config_read)(struct virtio *d, u32 offset, u8 size);
	void (*config_write)(struct virtio *d, u32 offset, u8 size, u64 value);
	/* The driver is ready (DRIVER_OK) and has enabled queue @i, whose
	 * addresses are aligned and else unchecked. There may be buffers. */
	void (*queue_start)(struct virtio *d, u32 i);
	/* From now on nothing of that queue is touched, nor a notification of
	 * it sent: it was reset, or the device */
	void (*queue_stop)(struct virtio *d, u32 i);
	/* The driver has reset the device, or the guest has ended: its queues
	 * are to stop. False: they will have by virtio_stopped(), and until
	 * then no register of it changes. NULL: queue_stop() is enough. */
	bool (*stop)(struct virtio *d);
	/* The driver has set bits of the status; queues start after it. NULL:
	 * it does not matter. */
	void (*negotiated)(struct virtio *d);
	/* There may be more in queue @i, which is live. On the vCPU's core or,
	 * through the PCI window, another's exit; no lock is held, so it may
	 * have stopped meanwhile. */
	void (*notified)(struct virtio *d, u32 i);
	/* A step of the work, some microseconds; vCPU 0's home core. True:
	 * there is more. NULL: the hypervisor does not serve it. */
	bool (*step)(struct virtio *d);
	/* Reset by the driver, or with the guest; queues have stopped. NULL:
	 * nothing else changes. */
	void (*reset)(struct virtio *d);
};

/* What the driver wrote of a queue */
struct virtio_queue {
	u16 size_max; /* the device's to set; a power of two */
	u16 size, vector;
	bool enabled, live;
	u64 desc, driver, device;
};

struct virtio {
	/* The device's to set, before virtio_create() */
	u8 devfn;
	u16 id;       /* VIRTIO_ID_ENTROPY */
	u32 class;    /* code and interface, 24 bits */
	u64 features; /* offered besides those of the transport, */
	u64 withheld; /* of which it can have none of these */
	const struct virtio_ops *ops;
	void *dev;
	u32 config_bytes;
	u16 queue_count;
	struct virtio_queue *queues;

	struct vm *vm;
	struct virtio *next; /* of the guest's: vm->virtio */
	struct pci_fn fn;
	struct pci_msix msix;
	struct spinlock lock;
	u64 accepted; /* by the driver; final with FEATURES_OK */
	u32 device_select, driver_select;
	u16 queue_select, config_vector;
	u8 status, generation;
	bool stopping;       /* reset by the driver, and not over */
	bool config_changed; /* since the driver last read of it */
	struct spinlock irq_lock;
	u8 isr;
	bool by_msix; /* as the last look at the control register had it */
};

/* VERSION_1, NOTIFICATION_DATA and RING_RESET, and what a ring of vring.h can
 * do; ACCESS_PLATFORM is not offered: addresses are the guest's own */
#define VIRTIO_TRANSPORT_FEATURES                                              \
	(VIRTIO_F_VERSION_1 | VIRTIO_F_NOTIFICATION_DATA | VIRTIO_F_RING_RESET)

/* Put the device on @vm's bus, in its state after a reset. While the VM is
 * built, charged to it. -ENOMEM, and those of pci_bus_add(); what was made is
 * virtio_destroy()'s to undo. */
int __must_check virtio_create(struct virtio *d, struct vm *vm);
void virtio_destroy(struct virtio *d);

/* As if the driver had written 0 to the status, unless it just has. Lock not
 * held. */
void virtio_shut(struct virtio *d);
/* Nothing touches its queues any more: what stop() has begun is over.
 * virtio.lock is held. */
void virtio_stopped(struct virtio *d);
/* All that the driver is offered */
u64 virtio_features(const struct virtio *d);
/* Is queue @i live, and may the device reach memory, as its function is bus
 * master? Any core. */
bool virtio_may_serve(const struct virtio *d, u32 i);
/* Have step() called soon, on vCPU 0's core. Any core. */
void virtio_serve(struct virtio *d);
/* Tell the driver of used buffers in queue @i (4.1.5.3); nothing, if it is no
 * longer live. Any core; virtio.lock may be held. */
void virtio_queue_interrupt(struct virtio *d, u32 i);
/* The device's own configuration has changed (4.1.5.4). virtio.lock is held. */
void virtio_config_interrupt(struct virtio *d);
/* The driver has made a mess: the device wants a reset, says so, and does
 * nothing until then (2.1.2). virtio.lock is held. */
void virtio_break(struct virtio *d);

/* A piece of the devices' work, for VE_VIRTIO. Home core of vCPU 0, in whose
 * time it is. */
void virtio_go_on(struct vcpu *v);

#endif
