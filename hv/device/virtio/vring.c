/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See vring.h: buffers, and split rings (virtio 1.2, 2.7); vring_packed.c has
 * the others. Called by devices that the hypervisor serves.
 *
 * Order (2.7.13, 2.7.14): the index is read before what it makes available, an
 * element is written before the index that makes it used, and that before the
 * driver's wish for a notification is read. The same, the other way round, when
 * a notification is asked for. Only the two last need more than the compiler's
 * order on x86.
 */
#include "hv/core/gmem.h"
#include "hv/core/slots.h"
#include "hv/device/virtio/vring_priv.h"
#include "lib/errno.h"
#include "lib/string.h"

#define BUFFER_MAX_BYTES (1ull << 32) /* 2.7.5.2 */

/* --- the guest's memory --- */

bool vring_get16(const struct vring *r, u64 gpa, u16 *value)
{
	const u16 *p = gmem_map_read(r->vm, GPA(gpa));

	if (!p)
		return false;
	*value = READ_ONCE(*p);
	return true;
}

bool vring_put16(const struct vring *r, u64 gpa, u16 value)
{
	u16 *p = gmem_map(r->vm, GPA(gpa));

	if (!p)
		return false;
	WRITE_ONCE(*p, value);
	return true;
}

/* What the driver made available before it could read VRING_NOTIFY is the
 * caller's to look for afterwards */
bool vring_tell(struct vring *r, enum vring_wish wish, u64 gpa, u16 value)
{
	if (r->wish == wish)
		return true;
	r->wish = wish;
	if (!vring_put16(r, gpa, value))
		return false;
	if (wish == VRING_NOTIFY)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return true;
}

static bool is_ram(const struct vring *r, u64 gpa)
{
	hpa_t hpa;
	u64 left;

	return vm_translate(r->vm, GPA(gpa), &hpa, &left);
}

/* --- buffers --- */

bool vring_add(const struct vring *r, struct vring_buffer *b, u64 gpa, u32 len,
	       bool write)
{
	u64 last = gpa + len - 1;

	if (!len)
		return true;
	if (b->count == r->size || (b->writable && !write) || last < gpa ||
	    !is_ram(r, gpa) || !is_ram(r, last))
		return false;
	if (write)
		b->writable += len;
	else
		b->readable += len;
	b->segments[b->count++] = (struct vring_segment){ gpa, len, write };
	return b->readable + b->writable <= BUFFER_MAX_BYTES;
}

int vring_fill(struct vring *r, const struct vring_buffer *b, const u8 *from,
	       u32 bytes)
{
	for (u32 i = 0; i < b->count && bytes; i++) {
		const struct vring_segment *s = &b->segments[i];
		u32 n = MIN(s->len, bytes);

		if (!s->write)
			continue;
		if (gmem_write(r->vm, GPA(s->gpa), from, n))
			return -EINVAL;
		from += n;
		bytes -= n;
	}
	return 0;
}

/* --- split rings --- */

/* A table of @count descriptors, and how many the chain may yet give */
struct table {
	u64 gpa;
	u32 count, left;
};

/* Descriptor @i, copied; false: there is none, or the chain is too long, as one
 * with a loop is */
static bool get_desc(const struct vring *r, struct table *t, u32 i,
		     struct virtq_desc *d)
{
	if (i >= t->count || !t->left)
		return false;
	t->left--;
	return !gmem_read(r->vm, GPA(t->gpa + i * sizeof(*d)), d, sizeof(*d));
}

/* The chain from @i on up to its end or a descriptor that is not a segment,
 * which is in *@d then */
static bool walk(const struct vring *r, struct vring_buffer *b, struct table *t,
		 u32 i, struct virtq_desc *d)
{
	do {
		if (!get_desc(r, t, i, d))
			return false;
		if (d->flags & VIRTQ_INDIRECT)
			return true;
		if (!vring_add(r, b, d->addr, d->len, d->flags & VIRTQ_WRITE))
			return false;
		i = d->next;
	} while (d->flags & VIRTQ_NEXT);
	return true;
}

/* 2.7.5.3: a table may be the last of a chain, and has no table itself. Its own
 * flag to write says nothing. The chain's @left segments are the table's: the
 * descriptor that names it is none, so a table alone may have as many as the
 * queue, in a packed ring, too. */
static bool walk_indirect(const struct vring *r, struct vring_buffer *b,
			  const struct virtq_desc *outer, u32 left)
{
	struct table t = { outer->addr, outer->len / sizeof(*outer), left };
	struct virtq_desc d;

	if (!r->indirect || outer->flags & VIRTQ_NEXT ||
	    outer->len % sizeof(*outer))
		return false;
	return walk(r, b, &t, 0, &d) && !(d.flags & VIRTQ_INDIRECT);
}

static bool take_chain(const struct vring *r, struct vring_buffer *b)
{
	struct table t = { r->desc, r->size, r->size };
	struct virtq_desc d;

	if (!walk(r, b, &t, b->id, &d))
		return false;
	return !(d.flags & VIRTQ_INDIRECT) ||
	       walk_indirect(r, b, &d, t.left + 1);
}

/* How many buffers are available (2.7.6), or -EINVAL */
static int available(const struct vring *r)
{
	u16 idx, count;

	if (!vring_get16(r, r->driver + VIRTQ_IDX, &idx))
		return -EINVAL;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	count = (u16)(idx - r->avail);
	return count <= r->size ? count : -EINVAL;
}

static u64 avail_event(const struct vring *r)
{
	return r->device + VIRTQ_RING + r->size * VIRTQ_USED_BYTES;
}

static u64 used_event(const struct vring *r)
{
	return r->driver + VIRTQ_RING + r->size * VIRTQ_AVAIL_BYTES;
}

/* 2.7.10: a notification of the next one, please. What came before the driver
 * could read that is seen here. */
static int ask(struct vring *r)
{
	if (!vring_tell(r, VRING_NOTIFY,
			r->event_idx ? avail_event(r) : r->device + VIRTQ_FLAGS,
			r->event_idx ? r->avail : 0))
		return -EINVAL;
	return available(r);
}

/* By the flag; an event has passed by itself */
static bool quiet(struct vring *r)
{
	if (!r->event_idx)
		return vring_tell(r, VRING_QUIET, r->device + VIRTQ_FLAGS,
				  VIRTQ_NO_NOTIFY);
	r->wish = VRING_QUIET;
	return true;
}

static int split_take(struct vring *r, struct vring_buffer *b)
{
	int count = available(r);
	u64 at =
		r->driver + VIRTQ_RING + r->avail % r->size * VIRTQ_AVAIL_BYTES;

	if (!count)
		count = ask(r);
	if (count <= 0)
		return count;
	if (!quiet(r) || !vring_get16(r, at, &b->id) || !take_chain(r, b))
		return -EINVAL;
	r->avail++;
	return 1;
}

/* 2.7.7.2; of one buffer: has the index come to the driver's event? */
static int wants_interrupt(const struct vring *r)
{
	u16 value;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!vring_get16(r,
			 r->event_idx ? used_event(r) : r->driver + VIRTQ_FLAGS,
			 &value))
		return -EINVAL;
	if (r->event_idx)
		return value == (u16)(r->used - 1);
	return !(value & VIRTQ_NO_INTERRUPT);
}

static int split_put(struct vring *r, const struct vring_buffer *b, u32 written)
{
	const struct virtq_used element = { .id = b->id, .len = written };
	u64 at = r->device + VIRTQ_RING + r->used % r->size * VIRTQ_USED_BYTES;

	if (gmem_write(r->vm, GPA(at), &element, sizeof(element)))
		return -EINVAL;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (!vring_put16(r, r->device + VIRTQ_IDX, (u16)(r->used + 1)))
		return -EINVAL;
	r->used++;
	return wants_interrupt(r);
}

/* --- either --- */

int vring_take(struct vring *r, struct vring_buffer *b)
{
	b->count = 0;
	b->readable = 0;
	b->writable = 0;
	return r->packed ? vring_packed_take(r, b) : split_take(r, b);
}

int vring_put(struct vring *r, const struct vring_buffer *b, u32 written)
{
	return r->packed ? vring_packed_put(r, b, written)
			 : split_put(r, b, written);
}

void vring_start(struct vring *r, const struct virtio *d, u32 i)
{
	const struct virtio_queue *q = &d->queues[i];

	*r = (struct vring){
		.vm = d->vm,
		.size = q->size,
		.packed = d->accepted & VIRTIO_F_RING_PACKED,
		.indirect = d->accepted & VIRTIO_F_INDIRECT_DESC,
		.event_idx = d->accepted & VIRTIO_F_EVENT_IDX,
		.desc = q->desc,
		.driver = q->driver,
		.device = q->device,
		.wrap = true,
	};
}
