/* SPDX-License-Identifier: BSD-2-Clause */
/* See bhd.h */
#include "tools/bhd/bhd.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/bhd/client.h"
#include "tools/bhd/console.h"

/* How often the device is asked whether it is open still */
#define CHECK_SECONDS 5.
#define WORK_ROUNDS   8

/* From within the ring: notes only */
static void on_event(void *context, const struct bh_ctl_event *e)
{
	struct bhd *b = context;
	struct state_note *grown;

	switch (e->type) {
	case BH_CTL_EVENT_CONSOLE:
		console_mark(b, e->arg[0]);
		return;
	case BH_CTL_EVENT_STATE:
		grown = realloc(b->notes, (b->note_count + 1) * sizeof(*grown));
		if (!grown) {
			b->lost = true;
			return;
		}
		b->notes = grown;
		grown[b->note_count++] =
			(struct state_note){ .id = e->arg[0],
					     .state = (u32)e->arg[1] };
		return;
	case BH_CTL_EVENT_LOST:
		b->lost = true;
	}
}

static void refresh(struct bhd *b)
{
	struct failure f;

	b->lost = false;
	if (consoles_refresh(b, &f)) {
		fprintf(stderr, "bhd: %s\n", f.text);
		b->lost = true;
	}
}

static void work_notes(struct bhd *b)
{
	struct state_note *notes = b->notes;
	u32 count = b->note_count;

	b->notes = NULL;
	b->note_count = 0;
	for (u32 i = 0; i < count; i++)
		consoles_state(b, notes[i].id, notes[i].state);
	if (count)
		b->lost = true;
	free(notes);
}

/* Before the loop sleeps. A round may bring new notes; each ends some. */
static void on_work(struct ev_loop *loop, ev_prepare *w, int events)
{
	struct bhd *b = w->data;
	bool more = true;

	for (u32 i = 0; i < WORK_ROUNDS && more; i++) {
		work_notes(b);
		if (b->lost)
			refresh(b);
		more = consoles_work(b) || b->note_count;
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

/* A device that closed itself is opened anew; answers that were due never come,
 * so that those who wait for them are sent away */
static void on_check(struct ev_loop *loop, ev_timer *w, int events)
{
	struct bhd *b = w->data;
	struct failure f;

	ring_poll(&b->ring);
	if (!ring_check(&b->ring, &f))
		return;
	fprintf(stderr, "bhd: %s\n", f.text);
	for (struct client *c = b->clients; c; c = c->next)
		if (c->busy)
			client_close(c);
	if (ring_open(&b->ring, b->device, &f))
		fprintf(stderr, "bhd: %s\n", f.text);
	b->lost = true;
}

int bhd_start(struct bhd *b, struct ev_loop *loop, struct device *d,
	      struct failure *f)
{
	b->loop = loop;
	b->device = d;
	b->ring.event = on_event;
	b->ring.context = b;
	if (ring_open(&b->ring, d, f) || control_info(&b->ring, &b->info, f) ||
	    consoles_refresh(b, f)) {
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
	return 0;
}

void bhd_stop(struct bhd *b)
{
	bool one = b->one_client;

	b->one_client = false;
	while (b->clients)
		client_free(b->clients);
	b->one_client = one;
	consoles_free(b);
	ring_close(&b->ring);
	ev_io_stop(b->loop, &b->events);
	ev_prepare_stop(b->loop, &b->work);
	ev_idle_stop(b->loop, &b->more);
	ev_timer_stop(b->loop, &b->check);
	b->device->ops->close(b->device);
	free(b->notes);
	b->notes = NULL;
}

void bhd_client_left(struct bhd *b)
{
	if (b->one_client && !b->clients)
		ev_break(b->loop, EVBREAK_ALL);
}
