/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that change a guest which is there: pause, resume, stop, reset,
 * destroy. Each is a job of one client: a command or two of the device, and the
 * answer when the last one is done. A client that hangs up leaves its job
 * running, with nobody to tell.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/bhd/console.h"
#include "tools/bhd/life.h"
#include "tools/bhd/request.h"

#define STOP_SECONDS     30
#define STOP_SECONDS_MAX 86400u
#define STATE_POLL_S     0.25
#define STOPPING_SECONDS 10.

struct job {
	struct bhd *bhd;
	struct client *client; /* NULL: it has left */
	u64 id;
	char name[32];
	ev_timer timer;
	ev_tstamp until;
	bool off; /* its power supply is */
};

static void job_left(struct client *c, void *job)
{
	((struct job *)job)->client = NULL;
}

static void job_end(struct job *j, const struct failure *f)
{
	struct client *c = j->client;

	ev_timer_stop(j->bhd->loop, &j->timer);
	free(j);
	if (!c)
		return;
	if (f)
		client_fail(c, f);
	else
		client_reply(c, json_object_new_object());
}

static void on_answer(void *context, const struct ring_answer *answer)
{
	struct failure f;

	if (answer->status)
		ring_failure(answer, &f);
	job_end(context, answer->status ? &f : NULL);
}

/* The guest that the request names; NULL: the client has its answer */
static struct job *job_new(struct client *c, struct json_object *o,
			   struct bh_ctl_guest *g)
{
	const char *name = wire_string(o, "name");
	struct job *j = NULL;
	struct failure f;

	if (!life_find(c->bhd, name ? name : "", g, &f)) {
		j = calloc(1, sizeof(*j));
		failed(&f, FAIL_NO_ROOM, "no memory for the request");
	}
	if (!j) {
		client_fail(c, &f);
		return NULL;
	}
	j->bhd = c->bhd;
	j->client = c;
	j->id = g->id;
	memcpy(j->name, g->name, sizeof(j->name));
	client_wait(c, j, job_left);
	return j;
}

/* False: it was not sent, and @j is done */
static bool job_send(struct job *j, enum bh_ctl_op op, u64 arg, ring_done done)
{
	struct ring_call call = { .op = op,
				  .arg = { j->id, arg },
				  .out_bytes = FAIL_TEXT_BYTES };
	struct failure f;

	if (!ring_send(&j->bhd->ring, &call, done, j, &f))
		return true;
	job_end(j, &f);
	return false;
}

/* The device refuses by the state: of a guest that is in another one than
 * @needs, it is named. False: it is not that, or not any more. */
static bool state_is_wrong(const struct job *j, u32 needs, const char *done,
			   struct failure *f)
{
	struct bh_ctl_guest g;

	if (control_guest(&j->bhd->ring, j->id, &g, NULL) || g.state == needs)
		return false;
	failed(f, FAIL_STATE, "guest %s is %s; only one that is %s can be %s",
	       g.name, state_name(g.state), state_name(needs), done);
	return true;
}

static void on_needed(struct job *j, const struct ring_answer *answer,
		      u32 needs, const char *done)
{
	struct failure f;

	if (answer->status == -BH_CTL_ESTATE &&
	    state_is_wrong(j, needs, done, &f))
		job_end(j, &f);
	else
		on_answer(j, answer);
}

static void on_paused(void *context, const struct ring_answer *answer)
{
	on_needed(context, answer, BH_CTL_RUNNING, "paused");
}

static void on_resumed(void *context, const struct ring_answer *answer)
{
	on_needed(context, answer, BH_CTL_PAUSED, "resumed");
}

static void act_simple(struct client *c, struct json_object *o,
		       enum bh_ctl_op op, u64 arg, ring_done done)
{
	struct bh_ctl_guest g;
	struct job *j = job_new(c, o, &g);

	if (j)
		job_send(j, op, arg, done);
}

void act_pause(struct client *c, struct json_object *o)
{
	act_simple(c, o, BH_CTL_OP_PAUSE, 0, on_paused);
}

void act_resume(struct client *c, struct json_object *o)
{
	act_simple(c, o, BH_CTL_OP_RESUME, 0, on_resumed);
}

void act_reset(struct client *c, struct json_object *o)
{
	const char *name = wire_string(o, "name");

	if (name && life_reset(c, name))
		return;
	act_simple(c, o, BH_CTL_OP_END, BH_CTL_END_RESET, on_answer);
}

/* One of the manifest's begins anew by itself; bhd has no definition of it */
static void start_static(struct client *c, struct json_object *o,
			 const struct bh_ctl_guest *g)
{
	struct failure f;

	if (g->state == BH_CTL_STOPPED || g->state == BH_CTL_CRASHED) {
		act_simple(c, o, BH_CTL_OP_END, BH_CTL_END_RESET, on_answer);
		return;
	}
	failed(&f, FAIL_STATE, "guest %s is %s", g->name, state_name(g->state));
	client_fail(c, &f);
}

void act_start(struct client *c, struct json_object *o)
{
	const char *name = wire_string(o, "name");
	struct bh_ctl_guest g;
	struct failure f;

	name = name ? name : "";
	if (life_start(c, name))
		return;
	if (!life_find(c->bhd, name, &g, &f) && g.flags & BH_CTL_GUEST_STATIC &&
	    !(g.flags & BH_CTL_GUEST_PRIVILEGED)) {
		start_static(c, o, &g);
		return;
	}
	failed(&f, FAIL_NO_GUEST,
	       "bhd made no guest %.40s, and the manifest has none; bhctl "
	       "create FILE makes one",
	       name);
	client_fail(c, &f);
}

/* "settings": KEY=VALUE, a line each; the hypervisor reads them */
void act_set(struct client *c, struct json_object *o)
{
	const char *settings = wire_string(o, "settings");
	struct ring_call call = { .op = BH_CTL_OP_SET,
				  .in = settings ? settings : "",
				  .out_bytes = FAIL_TEXT_BYTES };
	struct bh_ctl_guest g;
	struct failure f;
	struct job *j = job_new(c, o, &g);

	if (!j)
		return;
	call.arg[0] = j->id;
	call.in_bytes = (u32)MIN(strlen(call.in), (size_t)BH_CTL_IN_MAX + 1);
	if (call.in_bytes > BH_CTL_IN_MAX) {
		failed(&f, FAIL_USAGE, "too much is to be set at once");
		job_end(j, &f);
	} else if (ring_send(&c->bhd->ring, &call, on_answer, j, &f)) {
		job_end(j, &f);
	}
}

static void on_destroyed(void *context, const struct ring_answer *answer)
{
	const struct job *j = context;

	if (answer->status)
		life_stays(j->bhd, j->name);
	else
		life_destroyed(j->bhd, j->id, j->name);
	on_answer(context, answer);
}

void act_destroy(struct client *c, struct json_object *o)
{
	const char *name = wire_string(o, "name");
	struct bhd *b = c->bhd;
	struct bh_ctl_guest g;
	struct job *j;

	if (name && life_forget_off(c, name))
		return;
	j = job_new(c, o, &g);
	if (!j)
		return;
	console_read_now(b, g.id);
	/* It may be about to start again: not any more */
	life_told_to_go(b, g.name);
	if (!job_send(j, BH_CTL_OP_END, BH_CTL_END_DESTROY, on_destroyed))
		life_stays(b, g.name);
}

/* --- stop: its power button, then its power supply --- */

static bool has_ended(struct job *j)
{
	struct bh_ctl_guest g;
	struct failure f;

	if (control_guest(&j->bhd->ring, j->id, &g, &f))
		return f.kind == FAIL_NO_GUEST;
	return g.state == BH_CTL_STOPPED || g.state == BH_CTL_CRASHED;
}

static void on_stopped(void *context, const struct ring_answer *answer)
{
	struct job *j = context;

	if (answer->status) {
		on_answer(context, answer);
		return;
	}
	/* It may still be on its way out */
	j->until = ev_now(j->bhd->loop) + STOPPING_SECONDS;
	j->off = true;
	ev_timer_again(j->bhd->loop, &j->timer);
}

/* Its power supply */
static void switch_off(struct job *j)
{
	ev_timer_stop(j->bhd->loop, &j->timer);
	job_send(j, BH_CTL_OP_END, BH_CTL_END_STOP, on_stopped);
}

static void on_stop_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct job *j = w->data;
	struct failure f;

	if (has_ended(j)) {
		job_end(j, NULL);
		return;
	}
	if (ev_now(loop) < j->until)
		return;
	if (!j->off) {
		switch_off(j);
		return;
	}
	failed(&f, FAIL_TIMEOUT,
	       "guest %s does not end; see the hypervisor's log", j->name);
	job_end(j, &f);
}

/* One that does not listen to its button is switched off at once */
static void on_button(void *context, const struct ring_answer *answer)
{
	struct job *j = context;

	if (!answer->status)
		ev_timer_again(j->bhd->loop, &j->timer);
	else if (answer->status == -BH_CTL_ESTATE)
		switch_off(j);
	else
		on_answer(context, answer);
}

void act_stop(struct client *c, struct json_object *o)
{
	u64 seconds = wire_number(o, "timeout_seconds", STOP_SECONDS);
	struct bh_ctl_guest g;
	struct job *j = job_new(c, o, &g);

	if (!j)
		return;
	life_told_to_end(c->bhd, g.name, false);
	ev_timer_init(&j->timer, on_stop_timer, 0., STATE_POLL_S);
	j->timer.data = j;
	j->until = ev_now(c->bhd->loop) +
		   (double)MIN(seconds, (u64)STOP_SECONDS_MAX);
	if (!seconds || g.state == BH_CTL_PAUSED)
		switch_off(j);
	else
		job_send(j, BH_CTL_OP_END, BH_CTL_END_BUTTON, on_button);
}
