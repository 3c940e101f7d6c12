/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between served.c, which is the device for its driver, and served_back.c,
 * which is it for the back-end.
 *
 * What goes to and fro while requests do, a notification and a doorbell, takes
 * no lock: each is a number that the control device has bound to the queue. A
 * number counts together with the life of the bindings, so that all of them end
 * at once when the control device is closed.
 *
 * Lock: virtio.lock, which has all but what is atomic.
 */
#ifndef HV_DEVICE_VIRTIO_SERVED_PRIV_H
#define HV_DEVICE_VIRTIO_SERVED_PRIV_H

#include "arch/x86/cpu/nospec.h"
#include "hv/device/virtio/served.h"
#include "hv/device/virtio/virtio.h"

#define SERVED_QUEUE_SIZE 256u

struct served_queue {
	/* Atomic: the number, and in bits 63:32 the life of the bindings that
	 * it belongs to; 0: never bound, or no more */
	u64 vector, doorbell;
	bool notified; /* atomic; before it was bound */
	bool taken;    /* a back-end may touch it */
	bool stops;    /* it is taken, and to be given back */
};

struct served_device {
	struct virtio virtio;
	bool offered;
	u8 shown; /* what of its status its back-end sees */
	struct served *all;
	u32 number;
	struct served_queue queues[MANIFEST_MAX_QUEUES];
	struct virtio_queue rings[MANIFEST_MAX_QUEUES];
	u8 config[BH_CTL_CONFIG_MAX];
};
static_assert(sizeof(struct served_device) <= KMEM_MAX, "one small object");

struct served {
	u32 count;
	/* A bit for each, atomic: it has been looked at since it was last told
	 * of; it is to be told of */
	u32 followed, changed;
	struct served_device *devices[MANIFEST_MAX_DEVICES];
};

/* served_back.c */
extern u32 served_bindings; /* their life, atomic */
extern void (*served_notify)(u32 vector);
/* It has changed, and what it says of itself does so before the lock is free */
void served_tell(struct served_device *s);
/* What was notified, if anything was, to @vector unless that is 0 */
void served_hand_over(struct served_queue *q, u32 vector);
/* No queue stops any more */
bool served_all_have_stopped(const struct served_device *s);

/* The number that is bound; 0: none, or in an earlier life */
static inline u32 served_in_force(const u64 *of)
{
	u64 b = __atomic_load_n(of, __ATOMIC_SEQ_CST);

	return b >> 32 == READ_ONCE(served_bindings) ? (u32)b : 0;
}

/* NULL: there is none */
static inline struct served_device *served_find(const struct vm *vm, u64 device)
{
	const struct served *s = vm->devices[VDEV_served];

	if (!s || device >= s->count)
		return NULL;
	return s->devices[index_nospec(device, s->count)];
}

#endif
