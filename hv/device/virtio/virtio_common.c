/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The common configuration of a virtio device (virtio 1.2, 4.1.4.3), the rules
 * of its status (2.1, 3.1.1) and of feature negotiation (2.2). A write that the
 * specification forbids the driver changes nothing. Called from exits, on any
 * core, under virtio.lock.
 */
#include "arch/x86/cpu/nospec.h"
#include "hv/device/virtio/virtio_priv.h"
#include "lib/bytes.h"

/* The bits that are the driver's to set */
#define DRIVER_BITS                                                            \
	(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK |               \
	 VIRTIO_FEATURES_OK | VIRTIO_FAILED)

/* --- queues --- */

/* The selected one; NULL: there is none */
static struct virtio_queue *selected(struct virtio *d)
{
	if (d->queue_select >= d->queue_count)
		return NULL;
	return &d->queues[index_nospec(d->queue_select, d->queue_count)];
}

static u32 index_of(const struct virtio *d, const struct virtio_queue *q)
{
	return (u32)(q - d->queues);
}

static void queue_init(struct virtio_queue *q)
{
	*q = (struct virtio_queue){
		.size_max = q->size_max,
		.size = q->size_max,
		.vector = VIRTIO_NO_VECTOR,
	};
}

/* The device lets go of it; interrupts are the caller's to end */
static void queue_stop(struct virtio *d, struct virtio_queue *q)
{
	if (q->live)
		d->ops->queue_stop(d, index_of(d, q));
}

static void queue_start(struct virtio *d, struct virtio_queue *q)
{
	if (!q->enabled || q->live || !(d->status & VIRTIO_DRIVER_OK))
		return;
	WRITE_ONCE(q->live, true);
	d->ops->queue_start(d, index_of(d, q));
}

static bool is_packed(const struct virtio *d)
{
	return d->accepted & VIRTIO_F_RING_PACKED;
}

/* A split ring's size is a power of two, a packed one's is not zero */
static bool size_fits(const struct virtio *d, const struct virtio_queue *q,
		      u64 size)
{
	return size && size <= q->size_max &&
	       (is_packed(d) || !(size & (size - 1)));
}

/* 2.7, 2.8.10.1 */
static bool addresses_fit(const struct virtio *d, const struct virtio_queue *q)
{
	return IS_ALIGNED(q->desc, 16) &&
	       IS_ALIGNED(q->driver, is_packed(d) ? 4u : 2u) &&
	       IS_ALIGNED(q->device, 4);
}

/* How the ring is laid out is known once the features are */
static void queue_enable(struct virtio *d, struct virtio_queue *q, u64 value)
{
	if (value != 1 || q->enabled || !(d->status & VIRTIO_FEATURES_OK) ||
	    !size_fits(d, q, q->size) || !addresses_fit(d, q))
		return;
	q->enabled = true;
	queue_start(d, q);
}

/* 2.6.1: at once, so that it reads 0 in both registers */
static void queue_reset(struct virtio *d, struct virtio_queue *q, u64 value)
{
	if (value != 1 || !virtio_has(d, VIRTIO_F_RING_RESET))
		return;
	queue_stop(d, q);
	virtio_irq_stop(d, q);
	queue_init(q);
}

static u16 vector_of(const struct virtio *d, u64 value)
{
	return value < d->msix.count ? (u16)value : VIRTIO_NO_VECTOR;
}

static void set_half(u64 *address, u64 offset, u64 value)
{
	u32 shift = offset & 4 ? 32 : 0;

	*address = merge_bits(*address, value << shift, 0xffffffffull << shift);
}

static u64 half(u64 address, u64 offset)
{
	return (u32)(offset & 4 ? address >> 32 : address);
}

static void queue_write(struct virtio *d, struct virtio_queue *q, u64 offset,
			u64 value)
{
	if (offset == VIRTIO_QUEUE_VECTOR)
		WRITE_ONCE(q->vector, vector_of(d, value));
	else if (offset == VIRTIO_QUEUE_RESET)
		queue_reset(d, q, value);
	else if (offset == VIRTIO_QUEUE_ENABLE)
		queue_enable(d, q, value);
	else if (q->enabled)
		return;
	else if (offset == VIRTIO_QUEUE_SIZE && size_fits(d, q, value))
		q->size = (u16)value;
	else if ((offset & ~4ull) == VIRTIO_QUEUE_DESC)
		set_half(&q->desc, offset, value);
	else if ((offset & ~4ull) == VIRTIO_QUEUE_DRIVER)
		set_half(&q->driver, offset, value);
	else if ((offset & ~4ull) == VIRTIO_QUEUE_DEVICE)
		set_half(&q->device, offset, value);
}

static u64 queue_read(const struct virtio *d, const struct virtio_queue *q,
		      u64 offset)
{
	switch (offset) {
	case VIRTIO_QUEUE_SIZE:
		return q->size;
	case VIRTIO_QUEUE_VECTOR:
		return q->vector;
	case VIRTIO_QUEUE_ENABLE:
		return q->enabled;
	case VIRTIO_QUEUE_NOTIFY_OFF:
		return index_of(d, q);
	case VIRTIO_QUEUE_DESC:
	case VIRTIO_QUEUE_DESC + 4:
		return half(q->desc, offset);
	case VIRTIO_QUEUE_DRIVER:
	case VIRTIO_QUEUE_DRIVER + 4:
		return half(q->driver, offset);
	case VIRTIO_QUEUE_DEVICE:
	case VIRTIO_QUEUE_DEVICE + 4:
		return half(q->device, offset);
	default:
		return 0;
	}
}

/* --- features and status --- */

u64 virtio_features(const struct virtio *d)
{
	return d->features | (VIRTIO_TRANSPORT_FEATURES & ~d->withheld);
}

static u64 feature_half(u64 features, u32 select)
{
	return select < 2 ? half(features, select * 4) : 0;
}

/* Fixed with FEATURES_OK (3.1.1). What was not offered is kept, so that
 * FEATURES_OK can be refused for it. */
static void accept(struct virtio *d, u64 value)
{
	if (!(d->status & VIRTIO_FEATURES_OK) && d->driver_select < 2)
		set_half(&d->accepted, d->driver_select * 4, value);
}

static bool features_fit(const struct virtio *d)
{
	return !(d->accepted & ~virtio_features(d)) &&
	       d->accepted & VIRTIO_F_VERSION_1;
}

/* The bits of @add that may be set now: in the order of 3.1.1, FEATURES_OK only
 * for features that can be had, DRIVER_OK only after it was read back */
static u8 steps_taken(const struct virtio *d, u8 add)
{
	u8 known = d->status | add;

	if (!(known & VIRTIO_ACKNOWLEDGE))
		add &= (u8)~VIRTIO_DRIVER;
	if ((known & (VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER)) !=
		    (VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER) ||
	    !features_fit(d))
		add &= (u8)~VIRTIO_FEATURES_OK;
	if (!(d->status & VIRTIO_FEATURES_OK))
		add &= (u8)~VIRTIO_DRIVER_OK;
	return add;
}

/* 4.1.4.3.1: the status reads 0 when the reset is over */
static void begin_reset(struct virtio *d)
{
	d->stopping = d->ops->stop && !d->ops->stop(d);
	if (!d->stopping)
		virtio_reset(d);
}

void virtio_shut(struct virtio *d)
{
	spin_lock(&d->lock);
	if (!d->stopping)
		begin_reset(d);
	spin_unlock(&d->lock);
}

void virtio_stopped(struct virtio *d)
{
	if (d->stopping)
		virtio_reset(d);
}

/* Zero is a reset. No bit is cleared otherwise, and after FAILED none is set
 * (2.1.1). */
static void status_write(struct virtio *d, u64 value)
{
	u8 add = (u8)value & (u8)~d->status & DRIVER_BITS;

	if (!value) {
		begin_reset(d);
		return;
	}
	if (d->status & DRIVER_BITS & ~value || d->status & VIRTIO_FAILED)
		return;
	add = steps_taken(d, add);
	if (!add)
		return;
	d->status |= add;
	if (d->ops->negotiated)
		d->ops->negotiated(d);
	for (u32 i = 0; i < d->queue_count; i++)
		queue_start(d, &d->queues[i]);
}

void virtio_reset(struct virtio *d)
{
	for (u32 i = 0; i < d->queue_count; i++)
		queue_stop(d, &d->queues[i]);
	virtio_irq_reset(d);
	for (u32 i = 0; i < d->queue_count; i++)
		queue_init(&d->queues[i]);
	WRITE_ONCE(d->stopping, false);
	d->accepted = 0;
	d->device_select = 0;
	d->driver_select = 0;
	d->queue_select = 0;
	d->status = 0;
	if (d->ops->reset)
		d->ops->reset(d);
}

bool virtio_may_serve(const struct virtio *d, u32 i)
{
	return READ_ONCE(d->queues[i].live) &&
	       !(READ_ONCE(d->status) & (VIRTIO_NEEDS_RESET | VIRTIO_FAILED)) &&
	       READ_ONCE(d->fn.config[PCI_COMMAND]) & PCI_COMMAND_MASTER;
}

/* --- accesses --- */

/* How a field is accessed (4.1.3.1); 0: no field begins there */
static u8 field_bytes(u64 offset)
{
	if (offset == VIRTIO_STATUS || offset == VIRTIO_GENERATION)
		return 1;
	if (offset < VIRTIO_CONFIG_VECTOR ||
	    (offset >= VIRTIO_QUEUE_DESC && offset < VIRTIO_QUEUE_DATA))
		return IS_ALIGNED(offset, 4) ? 4 : 0;
	return IS_ALIGNED(offset, 2) ? 2 : 0;
}

static u64 field_read(struct virtio *d, u64 offset)
{
	const struct virtio_queue *q = selected(d);

	switch (offset) {
	case VIRTIO_DEVICE_SELECT:
		return d->device_select;
	case VIRTIO_DEVICE_FEATURE:
		return feature_half(virtio_features(d), d->device_select);
	case VIRTIO_DRIVER_SELECT:
		return d->driver_select;
	case VIRTIO_DRIVER_FEATURE:
		return feature_half(d->accepted, d->driver_select);
	case VIRTIO_CONFIG_VECTOR:
		return d->config_vector;
	case VIRTIO_NUM_QUEUES:
		return d->queue_count;
	case VIRTIO_STATUS:
		return d->status;
	case VIRTIO_GENERATION:
		return d->generation;
	case VIRTIO_QUEUE_SELECT:
		return d->queue_select;
	default:
		return q ? queue_read(d, q, offset) : 0;
	}
}

static void field_write(struct virtio *d, u64 offset, u64 value)
{
	struct virtio_queue *q = selected(d);

	if (offset == VIRTIO_DEVICE_SELECT)
		d->device_select = (u32)value;
	else if (offset == VIRTIO_DRIVER_SELECT)
		d->driver_select = (u32)value;
	else if (offset == VIRTIO_DRIVER_FEATURE)
		accept(d, value);
	else if (offset == VIRTIO_CONFIG_VECTOR)
		WRITE_ONCE(d->config_vector, vector_of(d, value));
	else if (offset == VIRTIO_STATUS)
		status_write(d, value);
	else if (offset == VIRTIO_QUEUE_SELECT)
		d->queue_select = (u16)value;
	else if (q && offset > VIRTIO_QUEUE_SELECT)
		queue_write(d, q, offset, value);
}

u64 virtio_common_read(struct virtio *d, u64 offset, u8 size)
{
	u64 value;

	if (size != field_bytes(offset))
		return ones_of(size);
	spin_lock(&d->lock);
	value = field_read(d, offset);
	spin_unlock(&d->lock);
	return value;
}

void virtio_common_write(struct virtio *d, u64 offset, u8 size, u64 value)
{
	if (size != field_bytes(offset))
		return;
	spin_lock(&d->lock);
	if (!d->stopping)
		field_write(d, offset, value & ones_of(size));
	spin_unlock(&d->lock);
}
