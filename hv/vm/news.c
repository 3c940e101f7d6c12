/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * News of dynamic guests on their way to the control device, see news.h: a
 * ring, which whoever serves the device empties. When it is full the oldest
 * state goes, and that is told. Answers stay as long as there are states: a
 * command would wait for good, and no more than CONTROL_WAITS do.
 *
 * Lock: news_lock, a leaf, protects the ring.
 */
#include "hv/vm/news.h"

#include "arch/x86/cpu/spinlock.h"
#include "hv/vm/dynamic.h"
#include "lib/string.h"

#define NEWS 64u

struct news {
	struct bh_ctl_event event;
	char why[128];
};

static struct spinlock news_lock;
static struct news ring[NEWS];
static u32 put, taken; /* ever */
static bool lost;
static void (*told)(void);

/* The count of the oldest that is no answer; if all are, of the oldest */
static u32 least(void)
{
	for (u32 i = taken; i != put; i++)
		if (ring[i % NEWS].event.type != BH_CTL_EVENT_ANSWER)
			return i;
	return taken;
}

/* The ring is full; what is older moves up by one */
static void drop_one(void)
{
	for (u32 i = least(); i != taken; i--)
		ring[i % NEWS] = ring[(i - 1) % NEWS];
	taken++;
	lost = true;
}

static void add(const struct news *n)
{
	spin_lock(&news_lock);
	if (put - taken == NEWS)
		drop_one();
	ring[put++ % NEWS] = *n;
	spin_unlock(&news_lock);
}

void news_tell(void)
{
	if (told)
		told();
}

void news_add_state(u64 id, enum bh_ctl_state state)
{
	add(&(struct news){ .event = { .type = BH_CTL_EVENT_STATE,
				       .tag = (u32)id,
				       .arg = { id, state } } });
}

void news_debug(u64 id)
{
	add(&(struct news){ .event = { .type = BH_CTL_EVENT_DEBUG,
				       .tag = (u32)id,
				       .arg = { id } } });
	news_tell();
}

void news_state(u64 id, enum bh_ctl_state state)
{
	news_add_state(id, state);
	news_tell();
}

void news_answer(u32 tag, s32 status, u64 id, const char *why)
{
	struct news n = { .event = { .type = BH_CTL_EVENT_ANSWER,
				     .tag = tag,
				     .status = status,
				     .arg = { id } } };

	if (why)
		str_copy(n.why, why, sizeof(n.why));
	n.event.bytes = (u32)strlen(n.why);
	add(&n);
	news_tell();
}

bool dynamic_news(struct bh_ctl_event *event, struct dynamic_why *why,
		  bool *was_lost)
{
	bool any;

	spin_lock(&news_lock);
	*was_lost = lost;
	lost = false;
	any = put != taken;
	if (any) {
		const struct news *n = &ring[taken++ % NEWS];

		*event = n->event;
		str_copy(why->text, n->why, sizeof(why->text));
	}
	spin_unlock(&news_lock);
	return any;
}

void dynamic_on_news(void (*fn)(void))
{
	told = fn;
}

void dynamic_forget_news(void)
{
	spin_lock(&news_lock);
	taken = put;
	lost = false;
	spin_unlock(&news_lock);
}
