/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packed rings from the device's side (virtio 1.2, 2.8). Buffers are used in
 * the order in which they came, so one position serves both: a used descriptor
 * lands where its buffer began. Of the device's event suppression only the
 * flags are used, with EVENT_IDX, too.
 *
 * Order (2.8.21, 2.8.22): a descriptor's flags are read before the rest of it,
 * and written after it; they are written before the driver's event suppression
 * is read.
 */
#include "hv/core/gmem.h"
#include "hv/device/virtio/vring_priv.h"
#include "lib/errno.h"

#define LEN_AT   offsetof(struct virtq_packed_desc, len)
#define FLAGS_AT offsetof(struct virtq_packed_desc, flags)

static u64 desc_at(const struct vring *r, u32 i)
{
	return r->desc + i * sizeof(struct virtq_packed_desc);
}

/* 2.8.1: the driver has set AVAIL to its wrap counter, and USED to the other */
static bool is_available(const struct vring *r, u16 flags)
{
	return !(flags & VIRTQ_AVAIL) != r->wrap &&
	       !(flags & VIRTQ_USED) == r->wrap;
}

static bool get_desc(const struct vring *r, u64 gpa,
		     struct virtq_packed_desc *d)
{
	return !gmem_read(r->vm, GPA(gpa), d, sizeof(*d));
}

/* 2.8.7: a table is a buffer of its own; of its flags only one counts */
static bool walk_table(const struct vring *r, struct vring_buffer *b,
		       const struct virtq_packed_desc *outer)
{
	u32 count = outer->len / sizeof(*outer);
	struct virtq_packed_desc d;

	if (!r->indirect || outer->len % sizeof(*outer) || !count ||
	    count > r->size)
		return false;
	for (u32 i = 0; i < count; i++)
		if (!get_desc(r, outer->addr + i * sizeof(d), &d) ||
		    !vring_add(r, b, d.addr, d.len, d.flags & VIRTQ_WRITE))
			return false;
	return true;
}

/* The list that begins at the position; its last descriptor has the id */
static bool walk(const struct vring *r, struct vring_buffer *b)
{
	struct virtq_packed_desc d;

	for (b->taken = 0; b->taken < r->size;) {
		u32 at = ((u32)r->avail + b->taken) % r->size;

		if (!get_desc(r, desc_at(r, at), &d))
			return false;
		if (!b->taken++ && !is_available(r, d.flags))
			return false; /* it was, a moment ago */
		b->id = d.id;
		if (d.flags & VIRTQ_INDIRECT)
			return b->taken == 1 && !(d.flags & VIRTQ_NEXT) &&
			       walk_table(r, b, &d);
		if (!vring_add(r, b, d.addr, d.len, d.flags & VIRTQ_WRITE))
			return false;
		if (!(d.flags & VIRTQ_NEXT))
			return true;
	}
	return false;
}

/* Is there a buffer at the position? Or -EINVAL */
static int available(const struct vring *r)
{
	u16 flags;

	if (!vring_get16(r, desc_at(r, r->avail) + FLAGS_AT, &flags))
		return -EINVAL;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return is_available(r, flags);
}

static bool tell(struct vring *r, enum vring_wish wish)
{
	return vring_tell(r, wish, r->device + VIRTQ_EVENT_FLAGS,
			  wish == VRING_QUIET ? VIRTQ_EVENT_DISABLE
					      : VIRTQ_EVENT_ENABLE);
}

int vring_packed_take(struct vring *r, struct vring_buffer *b)
{
	int got = available(r);

	if (!got)
		got = tell(r, VRING_NOTIFY) ? available(r) : -EINVAL;
	if (got <= 0)
		return got;
	return tell(r, VRING_QUIET) && walk(r, b) ? 1 : -EINVAL;
}

/* 2.8.10: of @taken descriptors, up to the new position, is one the driver's
 * event? Counted from there back, in either turn of the ring. */
static bool passed_event(const struct vring *r, u16 event, u16 taken)
{
	u16 at = event & (u16)~VIRTQ_EVENT_WRAP;

	if (!(event & VIRTQ_EVENT_WRAP) == r->wrap)
		at = (u16)(at - r->size);
	return (u16)(r->avail - at - 1) < taken;
}

static int wants_interrupt(const struct vring *r, u16 taken)
{
	u16 event, flags;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!vring_get16(r, r->driver + VIRTQ_EVENT_FLAGS, &flags) ||
	    !vring_get16(r, r->driver + VIRTQ_EVENT_OFF, &event))
		return -EINVAL;
	flags &= VIRTQ_EVENT_MASK;
	if (flags == VIRTQ_EVENT_DESC && r->event_idx)
		return passed_event(r, event, taken);
	return flags != VIRTQ_EVENT_DISABLE;
}

/* 2.8.1: AVAIL and USED are the device's wrap counter, both */
int vring_packed_put(struct vring *r, const struct vring_buffer *b, u32 written)
{
	const struct virtq_packed_desc d = {
		.len = written,
		.id = b->id,
		.flags = (u16)((r->wrap ? VIRTQ_AVAIL | VIRTQ_USED : 0) |
			       (written ? VIRTQ_WRITE : 0)),
	};
	u64 at = desc_at(r, r->avail);

	if (gmem_write(r->vm, GPA(at + LEN_AT), (const u8 *)&d + LEN_AT,
		       FLAGS_AT - LEN_AT))
		return -EINVAL;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (!vring_put16(r, at + FLAGS_AT, d.flags))
		return -EINVAL;
	r->avail = (u16)(r->avail + b->taken);
	if (r->avail >= r->size) {
		r->avail = (u16)(r->avail - r->size);
		r->wrap = !r->wrap;
	}
	return wants_interrupt(r, b->taken);
}
