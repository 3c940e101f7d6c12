/* SPDX-License-Identifier: BSD-2-Clause */
/* See bhd.h */
#include "tools/bhd/bhd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bhd/client.h"
#include "tools/bhd/console.h"
#include "tools/bhd/debug.h"
#include "tools/bhd/devices.h"
#include "tools/bhd/events.h"
#include "tools/bhd/life.h"

/* How often the device is asked whether it is open still */
#define CHECK_SECONDS 5.
#define WORK_ROUNDS   8

void bhd_note(struct bhd *b, u64 id)
{
	for (u32 i = 0; i < b->noted_count; i++)
		if (b->noted[i] == id)
			return;
	if (b->noted_count == NOTED_MAX)
		b->lost = true;
	else if (id)
		b->noted[b->noted_count++] = id;
}

/* From within the ring: notes only */
static void on_event(void *context, const struct bh_ctl_event *e)
{
	struct bhd *b = context;

	switch (e->type) {
	case BH_CTL_EVENT_CONSOLE:
		console_mark(b, e->arg[0]);
		return;
	case BH_CTL_EVENT_DEBUG:
		b->debug_news = true;
		return;
	case BH_CTL_EVENT_DEVICE:
		devices_note(b, e->arg[0]);
		return;
	case BH_CTL_EVENT_LOST:
		consoles_mark(b);
		devices_note(b, 0);
		b->lost = true;
		return;
	case BH_CTL_EVENT_STATE:
		bhd_note(b, e->arg[0]);
	}
}

static int look_again(struct bhd *b, struct failure *f)
{
	struct list guests;
	int err;

	if (control_guests(&b->ring, &guests, f))
		return -1;
	err = consoles_refresh(b, &guests, f);
	if (!err && b->life)
		life_refresh(b, &guests);
	free(guests.items);
	return err;
}

/* One that was there and gone between two looks is asked for among all: some
 * guest of bhd's may have its id */
static int look_at(struct bhd *b, u64 id, struct failure *f)
{
	struct bh_ctl_guest g;
	const char *name = g.name;
	bool gone = control_guest(&b->ring, id, &g, f);

	if (gone && f->kind != FAIL_NO_GUEST)
		return -1;
	if (gone)
		name = console_name(b, id);
	if (!name) {
		b->lost = true;
		return 0;
	}
	console_look(b, id, gone ? NULL : &g);
	if (b->life)
		life_look(b, id, name, gone ? NULL : &g);
	return 0;
}

/* The first one noted; a look may note more */
static int look_at_next(struct bhd *b, struct failure *f)
{
	u64 id = b->noted[0];

	b->noted_count--;
	memmove(b->noted, b->noted + 1, b->noted_count * sizeof(id));
	return look_at(b, id, f);
}

/* What fails now is looked at by on_check() */
static void refresh(struct bhd *b)
{
	struct failure f;
	int err = 0;

	b->debug_news = true;
	while (b->noted_count && !b->lost && !err)
		err = look_at_next(b, &f);
	if (b->lost && !err)
		err = look_again(b, &f);
	if (b->lost || err)
		b->noted_count = 0;
	b->lost = false;
	if (err)
		fprintf(stderr, "bhd: %s\n", f.text);
}

static bool any_news(const struct bhd *b)
{
	return b->lost || b->noted_count;
}

/* Before the loop sleeps. A round may bring new events; each ends some. */
static void on_work(struct ev_loop *loop, ev_prepare *w, int events)
{
	struct bhd *b = w->data;
	bool more = true;

	for (u32 i = 0; i < WORK_ROUNDS && more; i++) {
		if (any_news(b))
			refresh(b);
		if (b->debug_news)
			debug_look(b);
		more = consoles_work(b);
		more = devices_work(b) || any_news(b) || more;
	}
	if (more)
		ev_idle_start(loop, &b->more);
	else
		ev_idle_stop(loop, &b->more);
}

static void on_more(struct ev_loop *loop, ev_idle *w, int events)
{
}

static void on_device(struct ev_loop *loop, ev_io *w, int events)
{
	struct bhd *b = w->data;

	b->device->ops->wait(b->device, 0);
	ring_poll(&b->ring);
}

/* A device that closed itself is opened anew; who waits for an answer is told
 * that it never comes */
static void on_check(struct ev_loop *loop, ev_timer *w, int events)
{
	struct bhd *b = w->data;
	struct failure f;

	ring_poll(&b->ring);
	/* A device that tells of no states is asked */
	b->lost = true;
	if (!ring_check(&b->ring, &f))
		return;
	fprintf(stderr, "bhd: %s\n", f.text);
	if (ring_open(&b->ring, b->device, &f))
		fprintf(stderr, "bhd: %s\n", f.text);
	/* No read of before asks for an event now */
	consoles_mark(b);
	devices_again(b);
}

/* Guests are made only by the one that keeps their definitions */
static int life_begin(struct bhd *b, struct failure *f)
{
	if (!b->folder)
		return 0;
	if (asprintf(&b->backends, "%s/back-ends", b->folder) < 0) {
		b->backends = NULL;
		return failed(f, FAIL_NO_ROOM, "no memory for a path");
	}
	return life_open(b, f);
}

int bhd_start(struct bhd *b, struct ev_loop *loop, struct device *d,
	      struct failure *f)
{
	b->loop = loop;
	b->device = d;
	TAILQ_INIT(&b->busy);
	b->ring.event = on_event;
	b->ring.context = b;
	if (ring_open(&b->ring, d, f) || control_info(&b->ring, &b->info, f) ||
	    life_begin(b, f) || look_again(b, f)) {
		life_close(b);
		consoles_free(b);
		events_free(b);
		free(b->backends);
		d->ops->close(d);
		return -1;
	}
	ev_prepare_init(&b->work, on_work);
	ev_idle_init(&b->more, on_more);
	ev_timer_init(&b->check, on_check, CHECK_SECONDS, CHECK_SECONDS);
	b->work.data = b->check.data = b->events.data = b;
	if (d->event_fd >= 0) {
		ev_io_init(&b->events, on_device, d->event_fd, EV_READ);
		b->events.data = b;
		ev_io_start(loop, &b->events);
	}
	ev_prepare_start(loop, &b->work);
	ev_timer_start(loop, &b->check);
	if (b->life)
		life_autostart(b);
	return 0;
}

void bhd_stop(struct bhd *b)
{
	bool one = b->one_client;

	b->one_client = false;
	while (b->clients)
		client_free(b->clients);
	b->one_client = one;
	life_close(b);
	consoles_free(b);
	events_free(b);
	free(b->backends);
	ring_close(&b->ring);
	ev_io_stop(b->loop, &b->events);
	ev_prepare_stop(b->loop, &b->work);
	ev_idle_stop(b->loop, &b->more);
	ev_timer_stop(b->loop, &b->check);
	b->device->ops->close(b->device);
}

void bhd_client_left(struct bhd *b)
{
	if (b->one_client && !b->clients)
		ev_break(b->loop, EVBREAK_ALL);
}
