/* SPDX-License-Identifier: BSD-2-Clause */
/* See devices.h. step() does what follows from a unit's state and from what the
 * hypervisor says of its queues, and gives all commands. Over 400 lines: all
 * that a device goes through, from its definition to its end. */
#include "tools/bhd/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bhd/devices_priv.h"

#define GOOD_RUN_S     60.
#define REMAINS_POLL_S 0.25
#define REMAINS_POLLS  20u
#define RETRY_S        1.
#define FREE_STARTS    8u

static void note(struct guest *g)
{
	g->devices.news = true;
}

/* --- what is to be done next --- */

static void on_again(struct ev_loop *loop, ev_timer *w, int events)
{
	struct unit *u = w->data;

	u->held = false;
	unit_note(u);
}

static void hold(struct unit *u, double seconds)
{
	struct ev_loop *loop = u->guest->bhd->loop;

	u->held = true;
	ev_timer_stop(loop, &u->again);
	ev_timer_set(&u->again, seconds, 0.);
	ev_timer_start(loop, &u->again);
}

/* A command failed, and no event comes again for what it was about */
static void retry(struct unit *u, const struct failure *f)
{
	fprintf(stderr, "bhd: %s: %s\n", u->backend.label, f->text);
	if (!u->held)
		hold(u, RETRY_S);
}

static int devices_list(struct guest *g, struct list *l, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_DEVICES, .arg = { g->id } };

	return control_list(&g->bhd->ring, &call, 1,
			    sizeof(struct bh_ctl_device), l, f);
}

static int queues_list(struct unit *u, struct list *l, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_QUEUES,
				  .arg = { u->guest->id, u->number } };
	int err = control_list(&u->guest->bhd->ring, &call, 2,
			       sizeof(struct bh_ctl_queue), l, f);

	l->count = MIN(l->count, (u32)MANIFEST_MAX_QUEUES);
	return err;
}

static u32 queues_flagged(const struct list *queues, u32 flag)
{
	const struct bh_ctl_queue *q = queues->items;
	u32 n = 0;

	for (u32 i = 0; i < queues->count; i++)
		n += !!(q[i].flags & flag);
	return n;
}

/* @queue: or BH_CTL_ALL_QUEUES. What the hypervisor does not wait for any more
 * it refuses, and that is all right. */
static void tell_stopped(struct unit *u, u32 queue)
{
	struct ring_call call = { .op = BH_CTL_OP_QUEUE_STOPPED,
				  .arg = { u->guest->id,
					   u->number | (u64)queue << 32 },
				  .out_bytes = FAIL_TEXT_BYTES };
	u8 out[FAIL_TEXT_BYTES];
	struct failure f;

	if (ring_call(&u->guest->bhd->ring, &call, out, NULL, &f) &&
	    f.kind != FAIL_STATE && f.kind != FAIL_NO_GUEST)
		retry(u, &f);
}

static bool is_launching(const struct unit *u)
{
	return u->guest->devices.begun;
}

/* Behind a failure: at once a warning, or later again */
static void failure_tell(struct unit *u)
{
	struct ev_loop *loop = u->guest->bhd->loop;
	double wait;

	if (is_launching(u)) {
		fprintf(stderr, "bhd: %s: %s; the guest starts without it\n",
			u->backend.label, u->failure.text);
		u->awaits = u->claims = false;
		return;
	}
	u->failed = false;
	if (!u->offered)
		return;
	if (ev_now(loop) - u->ready_since > GOOD_RUN_S)
		u->tries = 0;
	wait = life_backoff(u->tries++);
	fprintf(stderr, "bhd: %s: %s; its back-end starts again in %.0f s\n",
		u->backend.label, u->failure.text, wait);
	hold(u, wait);
}

/* A driver that makes and resets its queues without end is no reason to start
 * processes as often: a firmware and a kernel are, over a few resets */
static void starts_limit(struct unit *u)
{
	if (ev_now(u->guest->bhd->loop) - u->ready_since > GOOD_RUN_S)
		u->quick_ends = 0;
	if (++u->quick_ends > FREE_STARTS)
		hold(u, life_backoff(u->quick_ends - FREE_STARTS - 1));
}

/* Neither a session nor a process is left */
static void step_left(struct unit *u)
{
	u->state = UNIT_OFF;
	for (u32 i = 0; i < ARRAY_SIZE(u->queues); i++) {
		if (!u->queues[i].served)
			continue;
		queue_unbind(u, i);
		queue_release(u, i);
	}
	if (u->failed)
		failure_tell(u);
	else if (u->offered)
		starts_limit(u);
}

static void step_says(struct unit *u)
{
	struct failure f;

	if (unit_offer(u, &f)) {
		unit_fail(u, &f);
		return;
	}
	u->state = UNIT_READY;
	u->offered = true;
	u->awaits = false;
	u->ready_since = ev_now(u->guest->bhd->loop);
}

/* A back-end of before may still work on the guest's memory. One of bhd's own
 * is on its way out, and is waited for and then killed before anything of it is
 * touched. Somebody's may be connected to again; but queues that are to stop
 * (@stops) have stopped only when it says so, or has ended. */
static bool remains(struct unit *u, bool stops)
{
	bool own = u->spec.disk;

	if (u->backend.pid || (!own && (!stops || u->served)) ||
	    !backend_remains(&u->backend)) {
		u->polls = 0;
		return false;
	}
	u->polls++;
	if (own && u->polls % REMAINS_POLLS == 0)
		backend_kill_remains(&u->backend);
	if (!own && u->polls == 1)
		fprintf(stderr,
			"bhd: %s: its back-end has not left the guest's "
			"memory, which nobody else gets before it ends; end "
			"it\n",
			u->backend.label);
	hold(u, REMAINS_POLL_S);
	return true;
}

/* Queues that nobody serves need no more than a word, once the back-end of a
 * bhd before has ended */
static void stopped_tell(struct unit *u, const struct list *queues)
{
	const struct bh_ctl_queue *q = queues->items;

	if (remains(u, true))
		return;
	for (u32 i = 0; i < queues->count; i++) {
		if (!(q[i].flags & BH_CTL_QUEUE_STOPS) || u->queues[i].served)
			continue;
		u->queues[i].taken_up = false;
		tell_stopped(u, i);
	}
}

static void step_queues(struct unit *u, const struct bh_ctl_device *d,
			const struct list *queues)
{
	const struct bh_ctl_queue *q = queues->items;
	u32 live = queues_flagged(queues, BH_CTL_QUEUE_LIVE);
	u32 stops = queues_flagged(queues, BH_CTL_QUEUE_STOPS);
	struct failure f;

	for (u32 i = 0; u->guest->devices.found && i < queues->count; i++)
		u->queues[i].taken_up = q[i].flags & BH_CTL_QUEUE_LIVE;
	if (stops && !live)
		unit_leave(u);
	if (stops && (u->state == UNIT_OFF || u->state == UNIT_READY))
		stopped_tell(u, queues);
	if (live && u->state == UNIT_OFF && !u->held && !remains(u, false))
		unit_start(u);
	if (live && u->state == UNIT_READY &&
	    queues_follow(u, d, queues->items, queues->count, &f))
		unit_fail(u, &f);
}

/* In the other phases nothing of it has run, and an answer may free it */
static bool guest_has_queues(const struct guest *g)
{
	return g->id && (g->phase == PHASE_IDLE || g->phase == PHASE_RESETTING);
}

static void step(struct unit *u, const struct bh_ctl_device *d)
{
	struct list queues = { 0 };
	struct failure f;

	if (u->state == UNIT_LEFT)
		step_left(u);
	if (u->state == UNIT_SAYS)
		step_says(u);
	if (u->awaits && u->state == UNIT_OFF && !u->held && !remains(u, false))
		unit_start(u);
	if (!d)
		return;
	u->offered = d->flags & BH_CTL_DEVICE_OFFERED;
	if (queues_list(u, &queues, &f))
		retry(u, &f);
	else
		step_queues(u, d, &queues);
	free(queues.items);
}

static void launch_go_on(struct guest *g)
{
	void (*begun)(struct guest * g) = g->devices.begun;

	for (u32 i = 0; i < g->devices.count; i++)
		if (g->devices.units[i].awaits)
			return;
	g->devices.begun = NULL;
	if (begun)
		begun(g);
}

/* A guest that is gone has no list */
static void guest_work(struct guest *g)
{
	struct list all = { 0 };
	const struct bh_ctl_device *d;
	struct failure f;

	g->devices.news = false;
	g->devices.working = true;
	if (guest_has_queues(g) && devices_list(g, &all, &f) &&
	    f.kind != FAIL_NO_GUEST)
		retry(&g->devices.units[0], &f);
	d = all.items;
	for (u32 i = 0; i < g->devices.count; i++)
		step(&g->devices.units[i], i < all.count ? &d[i] : NULL);
	if (all.count)
		g->devices.found = false;
	free(all.items);
	g->devices.working = false;
	launch_go_on(g);
}

bool devices_work(struct bhd *b)
{
	struct guest *g = b->life ? b->life->guests : NULL, *next = NULL;

	/* The one that has waited longest: none keeps others waiting by news
	 * without end */
	for (; g; g = g->next)
		if (g->devices.news &&
		    (!next || g->devices.turn < next->devices.turn))
			next = g;
	if (!next)
		return false;
	next->devices.turn = ++b->device_turns;
	guest_work(next);
	return true;
}

/* --- the guest's way --- */

int devices_read(struct guest *g, const char *file, const char *folder,
		 struct failure *f)
{
	u32 count = g->definition.config.device_count;

	if (!count)
		return 0;
	g->devices.units = calloc(count, sizeof(*g->devices.units));
	if (!g->devices.units)
		return failed(f, FAIL_NO_ROOM, "no memory for its devices");
	g->devices.count = count;
	for (u32 i = 0; i < count; i++) {
		struct unit *u = &g->devices.units[i];

		if (device_spec_read(&u->spec, &g->definition.config,
				     g->definition.text, i, file, folder, f)) {
			g->devices.count = i;
			return -1;
		}
		unit_init(u, g, i);
		ev_timer_init(&u->again, on_again, 0., 0.);
		u->again.data = u;
	}
	return 0;
}

void devices_free(struct guest *g)
{
	for (u32 i = 0; i < g->devices.count; i++) {
		struct unit *u = &g->devices.units[i];

		ev_timer_stop(g->bhd->loop, &u->again);
		vhost_user_close(&u->session);
		backend_leave(&u->backend);
		for (u32 k = 0; k < ARRAY_SIZE(u->queues); k++)
			if (u->queues[k].served)
				queue_release(u, k);
	}
	free(g->devices.units);
	g->devices = (struct devices){ 0 };
}

void devices_hurry(struct guest *g)
{
	for (u32 i = 0; i < g->devices.count; i++) {
		vhost_user_close(&g->devices.units[i].session);
		backend_hurry(&g->devices.units[i].backend);
	}
}

/* What a launch before has left, ends first */
void devices_begin(struct guest *g, void (*begun)(struct guest *g))
{
	devices_end(g);
	for (u32 i = 0; i < g->devices.count; i++) {
		struct unit *u = &g->devices.units[i];

		u->awaits = true;
		u->failed = u->held = false;
		u->tries = u->quick_ends = 0;
	}
	g->devices.begun = begun;
	note(g);
}

void devices_take_up(struct guest *g)
{
	g->devices.found = true;
	note(g);
}

void devices_end(struct guest *g)
{
	g->devices.begun = NULL;
	for (u32 i = 0; i < g->devices.count; i++) {
		struct unit *u = &g->devices.units[i];

		u->claims = u->offered = u->awaits = u->held = false;
		ev_timer_stop(g->bhd->loop, &u->again);
		unit_leave(u);
	}
	note(g);
}

void devices_again(struct bhd *b)
{
	struct guest *g = b->life ? b->life->guests : NULL;
	struct failure f;

	failed(&f, FAIL_OTHER, "the control device was opened anew");
	for (; g; g = g->next)
		for (u32 i = 0; i < g->devices.count; i++)
			if (g->devices.units[i].served)
				unit_fail(&g->devices.units[i], &f);
	/* Events of before, and of the time in which it was closed, are lost */
	devices_note(b, 0);
}

void devices_note(struct bhd *b, u64 id)
{
	struct guest *g = b->life ? b->life->guests : NULL;

	for (; g; g = g->next)
		if (g->devices.count && (!id || g->id == id))
			note(g);
}

void devices_warnings(const struct guest *g, struct json_object *array)
{
	char text[FAIL_TEXT_BYTES + BACKEND_LABEL_BYTES + 8];

	for (u32 i = 0; i < g->devices.count; i++) {
		const struct unit *u = &g->devices.units[i];

		if (!u->failed)
			continue;
		snprintf(text, sizeof(text), "%s: %s", u->backend.label,
			 u->failure.text);
		json_object_array_add(array, json_object_new_string(text));
	}
}
