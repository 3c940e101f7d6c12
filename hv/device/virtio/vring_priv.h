/* SPDX-License-Identifier: BSD-2-Clause */
/* Between vring.c, which has buffers and split rings, and vring_packed.c */
#ifndef HV_DEVICE_VIRTIO_VRING_PRIV_H
#define HV_DEVICE_VIRTIO_VRING_PRIV_H

#include "hv/device/virtio/vring.h"

/* One access, as the driver sees a whole value; @gpa is a multiple of 2. False:
 * it is not RAM. */
bool vring_get16(const struct vring *r, u64 gpa, u16 *value);
bool vring_put16(const struct vring *r, u64 gpa, u16 value);
/* Tell the driver what it is to do, unless it knows: @value at @gpa, where the
 * device's flags are. False: that is not RAM. */
bool vring_tell(struct vring *r, enum vring_wish wish, u64 gpa, u16 value);
/* A descriptor's segment joins @b; false: it may not */
bool vring_add(const struct vring *r, struct vring_buffer *b, u64 gpa, u32 len,
	       bool write);

/* As vring_take() and vring_put(); @b is empty */
int vring_packed_take(struct vring *r, struct vring_buffer *b);
int vring_packed_put(struct vring *r, const struct vring_buffer *b,
		     u32 written);

#endif
