/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices that are served elsewhere, as their drivers see them; see
 * served.h. The transport is virtio.h's. Called from exits, on any core, under
 * virtio.lock unless a comment says otherwise.
 */
#include "hv/core/pc_map.h"
#include "hv/device/virtio/served_priv.h"
#include "lib/errno.h"
#include "lib/string.h"

#define CLASS_BLOCK 0x018000u /* mass storage, other */
#define CLASS_NET   0x020000u
#define CLASS_NONE  0xff0000u

/* A notification's data goes nowhere; one queue alone is not stopped */
#define WITHHELD (VIRTIO_F_NOTIFICATION_DATA | VIRTIO_F_RING_RESET)

static struct served_device *device_of(struct virtio *d)
{
	return d->dev;
}

/* --- what the driver does --- */

/* Whoever binds it meanwhile looks at what was notified after that, and this
 * looks at the binding after it has notified: one of them hands it over */
static void notified(struct virtio *d, u32 i)
{
	struct served_queue *q = &device_of(d)->queues[i];
	u32 vector = served_in_force(&q->vector);

	if (likely(vector)) {
		served_notify(vector);
		return;
	}
	__atomic_store_n(&q->notified, true, __ATOMIC_SEQ_CST);
	served_hand_over(q, served_in_force(&q->vector));
}

/* --- what the driver does; under the lock --- */

static void forget(struct served_queue *q)
{
	__atomic_store_n(&q->doorbell, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&q->vector, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&q->notified, false, __ATOMIC_SEQ_CST);
	q->taken = false;
	q->stops = false;
}

/* DEVICES and QUEUES say nothing of other bits */
static void status_changed(struct virtio *d)
{
	struct served_device *s = device_of(d);
	u8 shown = d->status & (VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);

	if (shown == s->shown)
		return;
	s->shown = shown;
	served_tell(s);
}

static void queue_start(struct virtio *d, u32 i)
{
	served_tell(device_of(d));
}

static void queue_stop(struct virtio *d, u32 i)
{
	forget(&device_of(d)->queues[i]);
}

/* Notifications and doorbells end at once */
static bool stop(struct virtio *d)
{
	struct served_device *s = device_of(d);
	bool over;

	for (u32 i = 0; i < d->queue_count; i++) {
		bool taken = s->queues[i].taken;

		forget(&s->queues[i]);
		s->queues[i].stops = taken;
	}
	over = served_all_have_stopped(s);
	if (!over)
		served_tell(s);
	return over;
}

static u64 config_read(struct virtio *d, u32 offset, u8 size)
{
	u64 value = 0;

	memcpy(&value, device_of(d)->config + offset, size);
	return value;
}

static const struct virtio_ops ops = {
	.config_read = config_read,
	.queue_start = queue_start,
	.queue_stop = queue_stop,
	.stop = stop,
	.negotiated = status_changed,
	.notified = notified,
	.reset = status_changed,
};

/* --- ends --- */

void served_end(const struct vm *vm)
{
	for (u32 i = 0; i < served_count(vm); i++)
		virtio_shut(&served_find(vm, i)->virtio);
}

bool served_is_over(const struct vm *vm)
{
	for (u32 i = 0; i < served_count(vm); i++)
		if (READ_ONCE(served_find(vm, i)->virtio.stopping))
			return false;
	return true;
}

/* --- life --- */

static u32 class_of(u32 type)
{
	switch (type) {
	case VIRTIO_ID_NET:
		return CLASS_NET;
	case VIRTIO_ID_BLOCK:
		return CLASS_BLOCK;
	default:
		return CLASS_NONE;
	}
}

static int add(struct vm *vm, struct served *all,
	       const struct device_config *config)
{
	struct served_device *s = kmem_alloc(&vm->budget, sizeof(*s));
	struct virtio *d;

	if (!s)
		return -ENOMEM;
	d = &s->virtio;
	s->all = all;
	s->number = all->count;
	all->devices[all->count++] = s;
	all->followed |= 1u << s->number;
	for (u32 i = 0; i < config->queues; i++)
		s->rings[i].size_max = SERVED_QUEUE_SIZE;
	d->devfn = (u8)(PC_DEVFN_SERVED + (s->number << 3));
	d->id = config->type;
	d->class = class_of(config->type);
	d->withheld = WITHHELD;
	d->ops = &ops;
	d->dev = s;
	d->config_bytes = config->config_bytes;
	d->queue_count = config->queues;
	d->queues = s->rings;
	d->fn.absent = true;
	d->vm = vm;
	return virtio_create(d, vm);
}

static int served_create(struct vm *vm)
{
	const struct guest_config *config = vm->config;
	struct served *all;
	int err = 0;

	if (!config->device_count)
		return 0;
	all = kmem_alloc(&vm->budget, sizeof(*all));
	if (!all)
		return -ENOMEM;
	vm->devices[VDEV_served] = all;
	for (u32 i = 0; i < config->device_count && !err; i++)
		err = add(vm, all, &config->devices[i]);
	return err;
}

static void served_destroy(struct vm *vm)
{
	struct served *all = vm->devices[VDEV_served];

	for (u32 i = 0; i < all->count; i++) {
		virtio_destroy(&all->devices[i]->virtio);
		kmem_free(&vm->budget, all->devices[i],
			  sizeof(*all->devices[i]));
	}
	kmem_free(&vm->budget, all, sizeof(*all));
}

/* The bus has reset the functions */
static void served_reset(struct vm *vm)
{
	const struct served *all = vm->devices[VDEV_served];

	for (u32 i = 0; i < all->count; i++) {
		struct served_device *s = all->devices[i];

		s->virtio.fn.absent = !s->offered;
	}
}

const struct vdev served_vdev = {
	.name = "served devices",
	.create = served_create,
	.destroy = served_destroy,
	.reset = served_reset,
};
