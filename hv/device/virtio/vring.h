/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's side of a virtqueue that the hypervisor serves itself, split or
 * packed (virtio 1.2, 2.7, 2.8). One buffer at a time is taken, used and put
 * back. All of it is the guest's memory, which may change at any time: each
 * descriptor is copied once, and only the copy is looked at. What the
 * specification forbids a driver is -EINVAL, and the device is to break
 * (virtio_break()).
 *
 * The caller's lock; home core of a vCPU of the guest. A call reads at most as
 * many descriptors as the queue has, and the one that names a table.
 */
#ifndef HV_DEVICE_VIRTIO_VRING_H
#define HV_DEVICE_VIRTIO_VRING_H

#include "hv/device/virtio/virtio.h"

/* Taking and filling a buffer of as many segments, each on a page of its own,
 * is one step, of PIECE_US at most: a descriptor and a page are looked up for
 * each, 2 * 0.3 us where neither is in a cache */
#define VRING_SIZE_MAX 16u

/* What it can do, for virtio.features */
#define VRING_FEATURES                                                         \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED)

/* What the driver was told last of its notifications (2.7.10, 2.8.10) */
enum vring_wish { VRING_UNSAID, VRING_QUIET, VRING_NOTIFY };

/* Of the same guest; all zero: the queue is not live */
struct vring {
	struct vm *vm;
	u16 size;
	bool packed, indirect, event_idx; /* negotiated */
	u64 desc, driver, device;
	u16 avail; /* split: buffers taken; packed: the position */
	u16 used;  /* split: buffers put back */
	bool wrap; /* packed: the wrap counter, of both sides (2.8.1) */
	enum vring_wish wish;
};

struct vring_segment {
	u64 gpa;
	u32 len;
	bool write; /* the device's to write, else to read */
};

/* A buffer: what the device reads, then what it writes (2.7.4.2) */
struct vring_buffer {
	u16 id;
	u16 taken; /* packed: descriptors of the ring */
	u32 count;
	u64 readable, writable; /* bytes */
	struct vring_segment segments[VRING_SIZE_MAX];
};

/* Queue @i of @d, whose size_max is VRING_SIZE_MAX at most, has gone live. No
 * memory is touched yet: the function need not be bus master. */
void vring_start(struct vring *r, const struct virtio *d, u32 i);
/* The next buffer into @b: 1, and the driver is asked to be quiet until there
 * is none: take on. 0: there is none, and the driver will notify of the next.
 * -EINVAL. Both ends of a segment are in RAM; what is between is
 * looked up when it is accessed. */
int __must_check vring_take(struct vring *r, struct vring_buffer *b);
/* Fill the writable part of @b from its start. @bytes is at most b->writable.
 * -EINVAL: not all of it is RAM. */
int __must_check vring_fill(struct vring *r, const struct vring_buffer *b,
			    const u8 *from, u32 bytes);
/* @b, taken last, is used, and @written bytes of it are written. 1: the driver
 * wants to be notified; 0; -EINVAL. */
int __must_check vring_put(struct vring *r, const struct vring_buffer *b,
			   u32 written);

#endif
