/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes on their way to the terminal, in the order in which they were said. An
 * owner, a speaker by its number, has its share of the queue and never more: so
 * one that floods it takes no room from the others. Where guests are so many
 * that a share would not hold a line, shares are a few lines each, and what all
 * guests have together is bounded besides: the hypervisor's half is its own. No
 * lock: the console's protects it.
 */
#ifndef HV_CONSOLE_QUEUE_H
#define HV_CONSOLE_QUEUE_H

#include "hv/manifest/manifest.h"
#include "lib/types.h"

#define QUEUE_BYTES      KIB(64)
#define QUEUE_SHARE_MAX  KIB(4)
#define QUEUE_SHARE_MIN  KIB(1)
#define QUEUE_OWNERS     (MANIFEST_MAX_GUESTS + 1)
#define QUEUE_PIECE_COST 32u /* of the share, for what a piece is kept by */
#define QUEUE_FEW        4u
#define QUEUE_PIECES     ((u32)QUEUE_BYTES / QUEUE_PIECE_COST)

/* Bytes of one owner in a row */
struct queue_piece {
	u16 owner;
	u16 left; /* bytes not taken yet */
};

struct out_queue {
	u32 head, tail; /* bytes ever put and taken; the place is modulo size */
	u32 piece_head, piece_tail;
	u32 share[QUEUE_OWNERS]; /* what an owner may use */
	u32 used[QUEUE_OWNERS];  /* bytes, and QUEUE_PIECE_COST a piece */
	u32 guests_used;         /* of all owners but 0 */
	struct queue_piece pieces[QUEUE_PIECES];
	char bytes[QUEUE_BYTES];
};

/* Gives the hypervisor, owner 0, half of the queue, and each other owner below
 * @owners an equal share of the rest, QUEUE_SHARE_MIN at least and
 * QUEUE_SHARE_MAX at most. @owners is at most QUEUE_OWNERS. While it is empty.
 */
void queue_share_out(struct out_queue *q, u32 owners);
/* Puts @len bytes of @owner's at the end, all of them; false: its share has no
 * room for them, and none is put */
bool queue_put(struct out_queue *q, u32 owner, const char *s, u32 len);
/* Moves at most @max bytes from the front to @buf and returns how many */
u32 queue_take(struct out_queue *q, char *buf, u32 max);
/* Drops all of it */
void queue_clear(struct out_queue *q);
/* Could @owner put half of its share, or more? */
bool queue_roomy(const struct out_queue *q, u32 owner);
/* Has @owner's share room for @len bytes in QUEUE_FEW pieces? */
bool queue_fits(const struct out_queue *q, u32 owner, u32 len);
bool queue_empty(const struct out_queue *q);

#endif
