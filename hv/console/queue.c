/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See queue.h. Called by output.c. Two rings: the bytes, and the pieces, which
 * say whose they are. An owner pays for both, and neither the hypervisor nor
 * all guests together have more than half, so that neither ring can be full
 * while an owner has room.
 */
#include "hv/console/queue.h"

#include "lib/string.h"

static_assert((QUEUE_BYTES & (QUEUE_BYTES - 1)) == 0, "a mask");
static_assert((QUEUE_PIECES & (QUEUE_PIECES - 1)) == 0, "a mask");

#define HALF ((u32)QUEUE_BYTES / 2)

/* What @owner may still put, its pieces paid for */
static u32 room_of(const struct out_queue *q, u32 owner)
{
	u32 own = q->share[owner] - q->used[owner];

	return owner ? MIN(own, HALF - q->guests_used) : own;
}

static void pay(struct out_queue *q, u32 owner, u32 cost)
{
	q->used[owner] += cost;
	if (owner)
		q->guests_used += cost;
}

static void pay_back(struct out_queue *q, u32 owner, u32 cost)
{
	q->used[owner] -= cost;
	if (owner)
		q->guests_used -= cost;
}

static struct queue_piece *piece_at(struct out_queue *q, u32 number)
{
	return &q->pieces[number % QUEUE_PIECES];
}

void queue_share_out(struct out_queue *q, u32 owners)
{
	u32 share = HALF / (MAX(owners, 2u) - 1);

	share = MIN(MAX(share, (u32)QUEUE_SHARE_MIN), (u32)QUEUE_SHARE_MAX);
	q->share[0] = HALF;
	for (u32 i = 1; i < QUEUE_OWNERS; i++)
		q->share[i] = i < owners ? share : 0;
}

/* The last piece, if what @owner says can be added to it */
static struct queue_piece *piece_open(struct out_queue *q, u32 owner, u32 len)
{
	struct queue_piece *p = piece_at(q, q->piece_head - 1);

	if (q->piece_head == q->piece_tail || p->owner != owner ||
	    p->left + len > UINT16_MAX)
		return NULL;
	return p;
}

static void bytes_put(struct out_queue *q, const char *s, u32 len)
{
	u32 at = q->head % QUEUE_BYTES;
	u32 first = MIN(len, (u32)QUEUE_BYTES - at);

	memcpy(q->bytes + at, s, first);
	memcpy(q->bytes, s + first, len - first);
	q->head += len;
}

bool queue_put(struct out_queue *q, u32 owner, const char *s, u32 len)
{
	struct queue_piece *p = piece_open(q, owner, len);
	u32 cost = len + (p ? 0 : QUEUE_PIECE_COST);

	if (len > UINT16_MAX || cost > room_of(q, owner))
		return false;
	if (!p) {
		p = piece_at(q, q->piece_head++);
		*p = (struct queue_piece){ .owner = (u16)owner };
	}
	p->left = (u16)(p->left + len);
	pay(q, owner, cost);
	bytes_put(q, s, len);
	return true;
}

/* From the first piece; 0: there is none */
static u32 take_piece(struct out_queue *q, char *buf, u32 max)
{
	struct queue_piece *p = piece_at(q, q->piece_tail);
	u32 n = MIN((u32)p->left, max);

	for (u32 i = 0; i < n; i++)
		buf[i] = q->bytes[q->tail++ % QUEUE_BYTES];
	p->left = (u16)(p->left - n);
	pay_back(q, p->owner, n);
	if (!p->left) {
		pay_back(q, p->owner, QUEUE_PIECE_COST);
		q->piece_tail++;
	}
	return n;
}

u32 queue_take(struct out_queue *q, char *buf, u32 max)
{
	u32 n = 0;

	while (n < max && !queue_empty(q))
		n += take_piece(q, buf + n, max - n);
	return n;
}

void queue_clear(struct out_queue *q)
{
	q->tail = q->head;
	q->piece_tail = q->piece_head;
	memset(q->used, 0, sizeof(q->used));
	q->guests_used = 0;
}

bool queue_roomy(const struct out_queue *q, u32 owner)
{
	return room_of(q, owner) >= q->share[owner] - q->share[owner] / 2;
}

bool queue_fits(const struct out_queue *q, u32 owner, u32 len)
{
	return len + QUEUE_FEW * QUEUE_PIECE_COST <= room_of(q, owner);
}

bool queue_empty(const struct out_queue *q)
{
	return q->piece_head == q->piece_tail;
}
