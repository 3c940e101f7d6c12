/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices that are served elsewhere, as their back-ends see them; see
 * served.h. Called for commands of the control device, for its doorbells, and
 * where a guest ends.
 */
#include "hv/core/stretch.h"
#include "hv/device/virtio/served_priv.h"
#include "lib/errno.h"
#include "lib/string.h"

#define RING_FEATURES                                                          \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED |  \
	 VIRTIO_F_IN_ORDER)
/* Guests that are looked at until the core looks at its interrupts */
#define LEFT_AT_ONCE 16u

u32 served_bindings = 1;
void (*served_notify)(u32 vector);
static void (*on_change)(void);
static bool any_changed; /* atomic */

void served_on_notify(void (*notify)(u32 vector))
{
	served_notify = notify;
}

void served_on_change(void (*fn)(void))
{
	on_change = fn;
}

/* NULL: it has none of this number */
static struct served_queue *find_queue(struct served_device *s, u64 i)
{
	u32 count = s->virtio.queue_count;

	return i < count ? &s->queues[index_nospec(i, count)] : NULL;
}

u32 served_count(const struct vm *vm)
{
	const struct served *s = vm->devices[VDEV_served];

	return s ? s->count : 0;
}

static bool take_bit(u32 *bits, u32 bit)
{
	return READ_ONCE(*bits) & bit &&
	       __atomic_fetch_and(bits, ~bit, __ATOMIC_SEQ_CST) & bit;
}

/* Whoever has not looked since the last time sees this with it. One that is yet
 * to be told has been woken for. */
void served_tell(struct served_device *s)
{
	u32 bit = 1u << s->number;

	if (!take_bit(&s->all->followed, bit) ||
	    __atomic_fetch_or(&s->all->changed, bit, __ATOMIC_SEQ_CST) & bit)
		return;
	__atomic_store_n(&any_changed, true, __ATOMIC_SEQ_CST);
	on_change();
}

/* --- bindings --- */

static u64 binding(u32 number)
{
	return (u64)__atomic_load_n(&served_bindings, __ATOMIC_SEQ_CST) << 32 |
	       number;
}

void served_unbind_all(void)
{
	__atomic_fetch_add(&served_bindings, 1, __ATOMIC_SEQ_CST);
}

void served_hand_over(struct served_queue *q, u32 vector)
{
	if (vector &&
	    __atomic_exchange_n(&q->notified, false, __ATOMIC_SEQ_CST))
		served_notify(vector);
}

bool served_has(const struct vm *vm, u32 device, u32 i, u32 doorbell)
{
	struct served_device *s = served_find(vm, device);
	const struct served_queue *q = s ? find_queue(s, i) : NULL;

	return q && doorbell && served_in_force(&q->doorbell) == doorbell;
}

void served_ring(const struct vm *vm, u32 device, u32 i, u32 doorbell)
{
	struct served_device *s = served_find(vm, device);
	const struct served_queue *q = s ? find_queue(s, i) : NULL;

	if (q && served_in_force(&q->doorbell) == doorbell)
		virtio_queue_interrupt(&s->virtio, (u32)(q - s->queues));
}

/* Under the lock: the queue is live and does not stop */
static void bind(struct served_queue *q, u32 vector, u32 doorbell)
{
	bool again = q->vector;

	q->taken = true;
	__atomic_store_n(&q->doorbell, binding(doorbell), __ATOMIC_SEQ_CST);
	__atomic_store_n(&q->vector, binding(vector), __ATOMIC_SEQ_CST);
	/* What went to the last vector may have reached nobody */
	if (again)
		__atomic_store_n(&q->notified, true, __ATOMIC_SEQ_CST);
	served_hand_over(q, vector);
}

int served_bind(const struct vm *vm, u64 device, u64 i, u32 vector,
		u32 doorbell)
{
	struct served_device *s = served_find(vm, device);
	struct served_queue *q = s ? find_queue(s, i) : NULL;
	bool live;

	if (!q)
		return -ENOENT;
	spin_lock(&s->virtio.lock);
	live = s->rings[q - s->queues].live && !s->virtio.stopping;
	if (live)
		bind(q, vector, doorbell);
	spin_unlock(&s->virtio.lock);
	return live ? 0 : -EBUSY;
}

/* --- what the back-end says --- */

/* Under the lock */
static void take_offer(struct served_device *s,
		       const struct bh_ctl_offer *offer)
{
	struct virtio *d = &s->virtio;

	d->features = offer->features & ~VIRTIO_F_VERSION_1;
	s->offered = true;
	if (memcmp(s->config, offer->config, d->config_bytes)) {
		memcpy(s->config, offer->config, d->config_bytes);
		if (!d->stopping)
			virtio_config_interrupt(d);
	}
}

static bool is_offered(const struct served_device *s, u64 features)
{
	return s->offered &&
	       s->virtio.features == (features & ~VIRTIO_F_VERSION_1);
}

int served_offer(const struct vm *vm, u64 device,
		 const struct bh_ctl_offer *offer, bool may_differ)
{
	struct served_device *s = served_find(vm, device);
	bool fits;

	if (!s)
		return -ENOENT;
	if (offer->config_bytes != s->virtio.config_bytes || offer->reserved)
		return -EINVAL;
	if (offer->features &
	    ~(SERVED_DEVICE_FEATURES | RING_FEATURES | VIRTIO_F_VERSION_1))
		return -EPERM;
	spin_lock(&s->virtio.lock);
	fits = may_differ || is_offered(s, offer->features);
	if (fits)
		take_offer(s, offer);
	spin_unlock(&s->virtio.lock);
	return fits ? 0 : -EBUSY;
}

bool served_all_have_stopped(const struct served_device *s)
{
	for (u32 i = 0; i < s->virtio.queue_count; i++)
		if (s->queues[i].stops)
			return false;
	return true;
}

int served_stopped(const struct vm *vm, u64 device, u64 i)
{
	struct served_device *s = served_find(vm, device);
	struct served_queue *one = s ? find_queue(s, i) : NULL;
	bool stops = i == BH_CTL_ALL_QUEUES;

	if (!s || (!one && !stops))
		return -ENOENT;
	spin_lock(&s->virtio.lock);
	if (one)
		stops = one->stops;
	for (u32 n = 0; n < s->virtio.queue_count; n++)
		if (!one || one == &s->queues[n])
			s->queues[n].stops = false;
	if (stops && s->virtio.stopping) {
		served_tell(s);
		if (served_all_have_stopped(s))
			virtio_stopped(&s->virtio);
	}
	spin_unlock(&s->virtio.lock);
	return stops ? 0 : -EBUSY;
}

/* --- what is said of them --- */

int served_device(const struct vm *vm, u64 device, struct bh_ctl_device *out)
{
	struct served_device *s = served_find(vm, device);
	const struct virtio *d;

	if (!s)
		return -ENOENT;
	d = &s->virtio;
	/* Before it is looked at: what changes behind that is told */
	__atomic_fetch_or(&s->all->followed, 1u << s->number, __ATOMIC_SEQ_CST);
	spin_lock(&s->virtio.lock);
	*out = (struct bh_ctl_device){
		.type = d->id,
		.devfn = d->devfn,
		.queues = d->queue_count,
		.queue_size = SERVED_QUEUE_SIZE,
		.config_bytes = d->config_bytes,
		.features = virtio_features(d),
		.accepted = d->status & VIRTIO_FEATURES_OK ? d->accepted : 0,
	};
	if (s->offered)
		out->flags |= BH_CTL_DEVICE_OFFERED;
	if (d->status & VIRTIO_DRIVER_OK && !d->stopping)
		out->flags |= BH_CTL_DEVICE_READY;
	if (d->stopping)
		out->flags |= BH_CTL_DEVICE_STOPS;
	spin_unlock(&s->virtio.lock);
	return 0;
}

static u32 flags_of(const struct served_device *s, u32 i)
{
	if (s->queues[i].stops)
		return BH_CTL_QUEUE_STOPS;
	return s->rings[i].live && !s->virtio.stopping ? BH_CTL_QUEUE_LIVE : 0;
}

int served_queue(const struct vm *vm, u64 device, u64 i,
		 struct bh_ctl_queue *out)
{
	struct served_device *s = served_find(vm, device);
	const struct served_queue *q = s ? find_queue(s, i) : NULL;
	const struct virtio_queue *ring;
	u32 n;

	if (!q)
		return -ENOENT;
	n = (u32)(q - s->queues);
	ring = &s->rings[n];
	spin_lock(&s->virtio.lock);
	*out = (struct bh_ctl_queue){
		.size = ring->size,
		.flags = flags_of(s, n),
		.desc = ring->desc,
		.driver = ring->driver,
		.device = ring->device,
		.vector = served_in_force(&q->vector),
		.doorbell = served_in_force(&q->doorbell),
	};
	spin_unlock(&s->virtio.lock);
	return 0;
}

bool served_any_changed(void)
{
	return READ_ONCE(any_changed) &&
	       __atomic_exchange_n(&any_changed, false, __ATOMIC_SEQ_CST);
}

u32 served_changed(const struct vm *vm, bool again)
{
	struct served *s = vm->devices[VDEV_served];
	u32 bits;

	if (!s)
		return 0;
	bits = __atomic_exchange_n(&s->changed, 0, __ATOMIC_SEQ_CST);
	if (again)
		bits |= ((1u << s->count) - 1) &
			~__atomic_load_n(&s->followed, __ATOMIC_SEQ_CST);
	return bits;
}

/* --- ends --- */

static void leave(struct served_device *s)
{
	spin_lock(&s->virtio.lock);
	for (u32 i = 0; i < s->virtio.queue_count; i++) {
		s->queues[i].taken = false;
		s->queues[i].stops = false;
	}
	virtio_stopped(&s->virtio);
	spin_unlock(&s->virtio.lock);
}

void served_leave(void)
{
	served_unbind_all();
	for (u32 id = 0; id < vm_count; id++) {
		const struct vm *vm = vm_at(id);

		for (u32 i = 0; vm && i < served_count(vm); i++)
			leave(served_find(vm, i));
		if (id % LEFT_AT_ONCE == LEFT_AT_ONCE - 1)
			stretch_look();
	}
}
