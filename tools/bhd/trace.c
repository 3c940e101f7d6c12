/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See trace.h. The rings are read often enough that a core with a quarter of a
 * million events a second loses none. Who reads the line slowly loses records,
 * and is told how many. One trace at a time: the device says so.
 */
#include "tools/bhd/trace.h"

#include <stdlib.h>
#include <string.h>

#include "tools/bhd/bhd.h"
#include "tools/control/meter.h"

#define EVERY_S    0.01
#define RECORDS    4096u /* a core keeps, at most: 128 KiB */
#define PARTS_MOST (2 * RECORDS / TRACE_PART)
#define OUT_MOST   (CLIENT_OUT_MAX / 2)

struct trace {
	struct client *client;
	struct bhd *bhd;
	ev_timer timer;
	ev_tstamp until;
	u32 cores;
	u64 position[]; /* by core */
};

static void trace_end(struct trace *t)
{
	struct failure f;

	ev_timer_stop(t->bhd->loop, &t->timer);
	/* Where the device is broken, nothing is traced any more, either */
	(void)control_trace_stop(&t->bhd->ring, &f);
	free(t);
}

static void client_gone(struct client *c, void *job)
{
	trace_end(job);
}

/* False: that was all there is for now, or it cannot be had */
static bool read_part(struct trace *t, u32 core)
{
	struct trace_chunk chunk = { .core = core };
	struct trace_part part;
	struct failure f;

	if (t->client->out_len > OUT_MOST ||
	    control_trace_read(&t->bhd->ring, core, t->position[core], &part,
			       &f))
		return false;
	chunk.count = part.count;
	chunk.lost = part.first - t->position[core];
	t->position[core] = part.first + part.count;
	if (chunk.count || chunk.lost) {
		client_send(t->client, &chunk, sizeof(chunk));
		client_send(t->client, part.records,
			    part.count * sizeof(part.records[0]));
	}
	return t->position[core] < part.end;
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct trace *t = w->data;
	struct client *c = t->client;

	for (u32 core = 0; core < t->cores; core++)
		for (u32 i = 0; i < PARTS_MOST && read_part(t, core); i++)
			;
	if (ev_now(loop) < t->until)
		return;
	client_wait(c, NULL, NULL);
	trace_end(t);
	client_close(c);
}

static struct json_object *names_array(const struct list *names)
{
	struct json_object *a = json_object_new_array();
	const char *text = names->items;

	for (u32 at = 0; at < names->count;) {
		size_t len = strnlen(text + at, names->count - at);

		json_object_array_add(
			a, json_object_new_string_len(text + at, (int)len));
		at += (u32)len + 1;
	}
	return a;
}

static struct json_object *guests_array(const struct list *guests)
{
	struct json_object *a = json_object_new_array();
	const struct bh_ctl_guest *g = guests->items;

	for (u32 i = 0; i < guests->count; i++) {
		struct json_object *o = json_object_new_object();

		wire_add_number(o, "id", g[i].id);
		wire_add_string(o, "name", g[i].name);
		json_object_array_add(a, o);
	}
	return a;
}

static struct json_object *reply_make(struct bhd *b, struct bh_ctl_info *info,
				      struct failure *f)
{
	struct json_object *reply;
	struct list names, guests;

	if (control_exit_names(&b->ring, &names, f))
		return NULL;
	if (control_guests(&b->ring, &guests, f) ||
	    control_info(&b->ring, info, f)) {
		free(names.items);
		return NULL;
	}
	reply = json_object_new_object();
	wire_add_string(reply, "build", info->build);
	wire_add_number(reply, "tsc", info->tsc);
	wire_add_number(reply, "tsc_khz", info->tsc_khz);
	wire_add_number(reply, "cores", info->cores);
	wire_add(reply, "exits", names_array(&names));
	wire_add(reply, "guests", guests_array(&guests));
	free(names.items);
	free(guests.items);
	return reply;
}

static struct trace *trace_new(struct client *c, u32 cores, u64 seconds)
{
	struct trace *t =
		calloc(1, sizeof(*t) + cores * sizeof(t->position[0]));

	if (!t)
		return NULL;
	t->client = c;
	t->bhd = c->bhd;
	t->cores = cores;
	t->until = ev_now(c->bhd->loop) + (double)seconds;
	ev_timer_init(&t->timer, on_timer, EVERY_S, EVERY_S);
	t->timer.data = t;
	return t;
}

/* With as many records a core as the hypervisor has memory for */
static int start(struct bhd *b, struct failure *f)
{
	u32 records = RECORDS;

	while (control_trace_start(&b->ring, records, f)) {
		records /= 2;
		if (f->kind != FAIL_NO_ROOM || records < BH_CTL_TRACE_MIN)
			return -1;
	}
	return 0;
}

static int begin(struct client *c, u64 seconds, struct failure *f)
{
	struct bhd *b = c->bhd;
	struct bh_ctl_info info;
	struct json_object *reply = reply_make(b, &info, f);
	struct trace *t = reply ? trace_new(c, info.cores, seconds) : NULL;

	if (reply && !t)
		failed(f, FAIL_NO_ROOM, "no memory for the trace");
	if (!t || start(b, f)) {
		if (reply)
			json_object_put(reply);
		free(t);
		return -1;
	}
	client_reply(c, reply);
	client_wait(c, t, client_gone);
	c->busy = true;
	ev_timer_start(b->loop, &t->timer);
	return 0;
}

void trace_begin(struct client *c, struct json_object *o)
{
	u64 seconds = wire_number(o, "seconds", 0);
	struct failure f;
	int err;

	if (!seconds || seconds > TRACE_SECONDS_MAX)
		err = failed(&f, FAIL_USAGE, "a trace lasts 1 to %u seconds",
			     TRACE_SECONDS_MAX);
	else
		err = begin(c, seconds, &f);
	if (err)
		client_fail(c, &f);
}
