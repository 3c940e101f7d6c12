/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues of a device (devices_priv.h): each that is live gets a vector, whose
 * interrupt is the back-end's kick, and a doorbell, which is its call. Both are
 * bound before the back-end begins, so that no word is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hv/core/pc_map.h"
#include "tools/bhd/devices_priv.h"

/* virtio 1.2 2.7 *Split Virtqueues*: bytes of a ring of @n entries */
#define TABLE_BYTES(n) (16ull * (n))
#define AVAIL_BYTES(n) (6ull + 2 * (n))
#define USED_BYTES(n)  (6ull + 8 * (n))
#define USED_INDEX     2

/* A number that nobody has, from 1 to @count - 1; 0: there is none */
static u32 number_take(u64 *bits, u32 count)
{
	for (u32 i = 1; i < count; i++) {
		if (bits[i / 64] & BIT(i % 64))
			continue;
		bits[i / 64] |= BIT(i % 64);
		return i;
	}
	return 0;
}

static void number_give(u64 *bits, u32 number)
{
	if (number)
		bits[number / 64] &= ~BIT(number % 64);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void queue_release(struct unit *u, u32 i)
{
	struct bhd *b = u->guest->bhd;
	struct unit_queue *q = &u->queues[i];

	if (q->vector)
		b->device->ops->vector_set(b->device, q->vector, -1);
	if (q->doorbell)
		b->device->ops->doorbell_set(b->device, q->doorbell, -1);
	number_give(b->vectors, q->vector);
	number_give(b->doorbells, q->doorbell);
	q->vector = q->doorbell = 0;
	if (q->served) {
		close_fd(&q->kick);
		close_fd(&q->call);
	}
	q->served = q->stopping = false;
}

/* --- the guest's memory --- */

/* As the loader lays it out: the ranges in order, with a hole from 2 to 4 GiB.
 * Offsets are those of each range's device. */
static u32 memory_pieces(const struct guest *g, struct vhost_user_memory *m,
			 u32 room)
{
	u64 at = 0;
	u32 n = 0;

	for (u32 i = 0; i < g->place.count; i++) {
		u64 done = 0, size = g->place.ranges[i].size;

		while (done < size) {
			u64 part = size - done;

			if (at == PC_LOW_RAM_END)
				at = GIB(4);
			if (at < PC_LOW_RAM_END)
				part = MIN(part, PC_LOW_RAM_END - at);
			if (n == room)
				return room + 1;
			m[n++] = (struct vhost_user_memory){ .guest = at,
							     .bytes = part,
							     .offset = done,
							     .fd = (int)i };
			at += part;
			done += part;
		}
	}
	return n;
}

static int device_open(const struct guest *g, u32 i)
{
	char path[DAX_NAME_BYTES + 8];

	snprintf(path, sizeof(path), "/dev/%s", g->dax[i]);
	return open(path, O_RDWR | O_CLOEXEC);
}

static bool memory_has(const struct vhost_user_memory *m, u32 count, u64 at,
		       u64 bytes, u32 *where)
{
	for (u32 i = 0; i < count; i++) {
		if (at < m[i].guest || at - m[i].guest > m[i].bytes ||
		    bytes > m[i].bytes - (at - m[i].guest))
			continue;
		*where = i;
		return true;
	}
	return false;
}

static bool ring_fits(const struct vhost_user_memory *m, u32 count,
		      const struct bh_ctl_queue *q)
{
	u32 where;

	return memory_has(m, count, q->desc, TABLE_BYTES(q->size), &where) &&
	       memory_has(m, count, q->driver, AVAIL_BYTES(q->size), &where) &&
	       memory_has(m, count, q->device, USED_BYTES(q->size), &where);
}

/* Where a back-end that is no more has left a split ring: what it has used is
 * done. What it had taken and not used yet is done again, if it was in order.
 */
static int base_read(const struct guest *g, const struct vhost_user_memory *m,
		     u32 count, const struct bh_ctl_queue *q, u32 *base)
{
	u64 at, page;
	const u8 *map;
	u32 where;
	u16 index;
	int fd;

	if (!memory_has(m, count, q->device, USED_BYTES(q->size), &where))
		return -EINVAL;
	at = m[where].offset + (q->device - m[where].guest) + USED_INDEX;
	page = ALIGN_DOWN(at, PAGE_2M);
	fd = device_open(g, (u32)m[where].fd);
	if (fd < 0)
		return -errno;
	map = mmap(NULL, PAGE_2M, PROT_READ, MAP_SHARED, fd, (off_t)page);
	close(fd);
	if (map == MAP_FAILED)
		return -errno;
	memcpy(&index, map + (at - page), sizeof(index));
	munmap((void *)map, PAGE_2M);
	*base = index;
	return 0;
}

/* --- one queue --- */

/* 0: no vector, no doorbell */
static int bind_queue(struct unit *u, u32 i, u32 vector, u32 doorbell,
		      struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_QUEUE_BIND,
				  .arg = { u->guest->id,
					   u->number | (u64)i << 32, vector,
					   doorbell },
				  .out_bytes = FAIL_TEXT_BYTES };
	u8 out[FAIL_TEXT_BYTES];

	return ring_call(&u->guest->bhd->ring, &call, out, NULL, f);
}

/* A queue that is not live any more has no binding, and is refused */
void queue_unbind(struct unit *u, u32 i)
{
	struct failure f;

	if (u->guest->id && u->queues[i].doorbell &&
	    bind_queue(u, i, 0, 0, &f) && f.kind != FAIL_STATE &&
	    f.kind != FAIL_NO_GUEST)
		fprintf(stderr, "bhd: %s: %s\n", u->backend.label, f.text);
}

static int bind_device(struct unit *u, u32 i, struct failure *f)
{
	struct bhd *b = u->guest->bhd;
	struct unit_queue *q = &u->queues[i];

	q->vector = number_take(b->vectors, b->device->vectors);
	q->doorbell = number_take(b->doorbells, BH_CTL_DOORBELLS + 1);
	if (!q->vector || !q->doorbell)
		return failed(f, FAIL_NO_ROOM,
			      "the control device has no more vectors or "
			      "doorbells for it");
	if (b->device->ops->vector_set(b->device, q->vector, q->kick) ||
	    b->device->ops->doorbell_set(b->device, q->doorbell, q->call))
		return failed(f, FAIL_OTHER,
			      "vfio does not wire its queue %u: %s", i,
			      strerror(errno));
	return bind_queue(u, i, q->vector, q->doorbell, f);
}

static int queue_start(struct unit *u, u32 i, const struct bh_ctl_queue *have,
		       const struct vhost_user_memory *m, u32 count,
		       struct failure *f)
{
	struct unit_queue *q = &u->queues[i];
	struct vhost_user_queue to = { .index = i,
				       .size = have->size,
				       .desc = have->desc,
				       .driver = have->driver,
				       .device = have->device };
	u64 one = 1;

	if (!ring_fits(m, count, have))
		return failed(f, FAIL_OTHER,
			      "the driver has put queue %u outside of the "
			      "guest's memory",
			      i);
	if (q->taken_up && base_read(u->guest, m, count, have, &to.base))
		return failed(f, FAIL_OTHER,
			      "the guest's memory cannot be read");
	q->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	q->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	q->served = true;
	if (q->kick < 0 || q->call < 0)
		return failed(f, FAIL_NO_ROOM, "no event for its queue: %s",
			      strerror(errno));
	if (bind_device(u, i, f))
		return -1;
	to.kick = q->kick;
	to.call = q->call;
	vhost_user_start(&u->session, &to);
	/* What was said before there was an ear for it. The driver may be told
	 * once for nothing. */
	if (write(q->kick, &one, sizeof(one)) != sizeof(one) ||
	    (q->taken_up && write(q->call, &one, sizeof(one)) != sizeof(one)))
		return failed(f, FAIL_OTHER, "an event: %s", strerror(errno));
	q->taken_up = true;
	return 0;
}

/* The pieces with files of their own; the caller closes them */
static int pieces_open(const struct guest *g,
		       const struct vhost_user_memory *from, u32 count,
		       struct vhost_user_memory *to, struct failure *f)
{
	for (u32 i = 0; i < count; i++) {
		to[i] = from[i];
		to[i].fd = device_open(g, (u32)from[i].fd);
		if (to[i].fd >= 0)
			continue;
		failed(f, FAIL_OTHER, "/dev/%s cannot be opened: %s",
		       g->dax[from[i].fd], strerror(errno));
		while (i--)
			close(to[i].fd);
		return -1;
	}
	return 0;
}

/* A back-end that is somebody's: whether it runs tells whether it may still
 * have the memory */
static int peer_keep(struct unit *u, struct failure *f)
{
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);

	if (u->spec.disk)
		return 0;
	if (getsockopt(u->session.fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) ||
	    peer.pid <= 0)
		return failed(f, FAIL_OTHER,
			      "its back-end is no process that bhd sees; start "
			      "it outside of containers");
	return backend_keep(&u->backend, peer.pid, f);
}

static int serve(struct unit *u, u64 accepted,
		 const struct vhost_user_memory *m, u32 count,
		 struct failure *f)
{
	struct vhost_user_memory files[VHOST_USER_REGIONS];

	if (peer_keep(u, f) || pieces_open(u->guest, m, count, files, f))
		return -1;
	vhost_user_serve(&u->session, accepted & u->session.features, files,
			 count);
	for (u32 i = 0; i < count; i++)
		close(files[i].fd);
	u->served = true;
	return 0;
}

/* One queue of several; all at once is the device's end */
static void stop_some(struct unit *u, const struct bh_ctl_queue *q, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		if (!(q[i].flags & BH_CTL_QUEUE_STOPS) ||
		    !u->queues[i].served || u->queues[i].stopping)
			continue;
		u->queues[i].stopping = true;
		vhost_user_stop(&u->session, i);
	}
}

int queues_follow(struct unit *u, const struct bh_ctl_device *d,
		  const struct bh_ctl_queue *q, u32 count, struct failure *f)
{
	const struct guest *g = u->guest;
	struct vhost_user_memory m[VHOST_USER_REGIONS];
	u32 pieces = memory_pieces(g, m, ARRAY_SIZE(m));

	stop_some(u, q, count);
	for (u32 i = 0; i < count; i++) {
		if (!(q[i].flags & BH_CTL_QUEUE_LIVE) || u->queues[i].served)
			continue;
		if (pieces > ARRAY_SIZE(m) || g->dax_count < g->place.count)
			return failed(
				f, FAIL_NO_ROOM,
				"the guest's memory is in more pieces "
				"than a back-end takes, %u; start it when "
				"other guests have ended",
				VHOST_USER_REGIONS);
		if (!u->served && serve(u, d->accepted, m, pieces, f))
			return -1;
		if (queue_start(u, i, &q[i], m, pieces, f))
			return -1;
	}
	return 0;
}
