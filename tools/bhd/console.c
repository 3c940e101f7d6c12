/* SPDX-License-Identifier: BSD-2-Clause */
/* See console.h. Over 400 lines: a console, and who looks at it. */
#include "tools/bhd/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/replay.h"
#include "tools/bhd/events.h"
#include "tools/bhd/history.h"
#include "tools/bhd/life.h"

#define TYPE_BYTES   1024
#define TYPE_AGAIN_S 0.01
#define DRAIN_PARTS  64 /* of one console before another has its turn */

struct console {
	struct console *next;
	struct index_entry by_id, by_name; /* of struct bhd */
	TAILQ_ENTRY(console) busy;
	bool is_busy; /* it is in bhd's queue */
	struct bhd *bhd;
	u64 id;
	char name[32];
	bool dirty, gone, ended, own;
	u32 state;
	char why[96];
	u64 end;       /* bhd has read so far; what follows is to come */
	ev_timer rest; /* active: it has just been read to its end */
	struct history history;
	struct session *sessions;
};

struct session {
	struct session *next;
	struct console *console;
	struct client *client;
	bool follow, types;
	u64 at, live_from; /* before it, it is history */
	struct replay filter;
	ev_timer again;
	u8 typed[TYPE_BYTES];
	u32 typed_len;
};

static struct console *find_id(const struct bhd *b, u64 id)
{
	struct index_entry *e = index_first(&b->console_ids, id);

	return e ? container_of(e, struct console, by_id) : NULL;
}

static struct console *find_name(const struct bhd *b, const char *name)
{
	struct index_entry *e =
		index_first(&b->console_names, index_name(name));
	struct console *c;

	for (; e; e = index_next(e)) {
		c = container_of(e, struct console, by_name);
		if (!c->gone && !strcmp(c->name, name))
			return c;
	}
	return NULL;
}

const char *console_name(const struct bhd *b, u64 id)
{
	const struct console *c = find_id(b, id);

	return c ? c->name : NULL;
}

u64 console_id(const struct bhd *b, const char *name)
{
	const struct console *c = find_name(b, name);

	return c ? c->id : 0;
}

/* consoles_work() comes to it */
static void make_busy(struct console *c)
{
	if (c->is_busy)
		return;
	c->is_busy = true;
	TAILQ_INSERT_TAIL(&c->bhd->busy, c, busy);
}

static void make_dirty(struct console *c)
{
	c->dirty = true;
	make_busy(c);
}

void console_mark(struct bhd *b, u64 id)
{
	struct console *c = find_id(b, id);

	if (c)
		make_dirty(c);
	else
		bhd_note(b, id);
}

void consoles_mark(struct bhd *b)
{
	for (struct console *c = b->consoles; c; c = c->next)
		make_dirty(c);
}

/* on_work() of bhd.c comes next, as before each sleep of the loop */
static void on_rested(struct ev_loop *loop, ev_timer *w, int events)
{
	make_busy(w->data);
}

static struct console *console_add(struct bhd *b, u64 id, const char *name)
{
	struct console *c = calloc(1, sizeof(*c));
	char folder[PATH_MAX];

	if (!c)
		return NULL;
	c->bhd = b;
	c->state = BH_CTL_GONE; /* not looked at yet */
	c->id = id;
	snprintf(c->name, sizeof(c->name), "%s", name);
	if (b->folder)
		snprintf(folder, sizeof(folder), "%s/console", b->folder);
	history_open(&c->history, b->folder ? folder : NULL, name,
		     b->info.boot_tsc, id);
	c->end = history_end(&c->history);
	ev_timer_init(&c->rest, on_rested, 0., 0.);
	c->rest.data = c;
	c->next = b->consoles;
	b->consoles = c;
	index_add(&b->console_ids, &c->by_id, id);
	index_add(&b->console_names, &c->by_name, index_name(c->name));
	make_dirty(c);
	return c;
}

static void console_free(struct console *c)
{
	struct bhd *b = c->bhd;

	index_remove(&b->console_ids, &c->by_id);
	index_remove(&b->console_names, &c->by_name);
	if (c->is_busy)
		TAILQ_REMOVE(&b->busy, c, busy);
	ev_timer_stop(b->loop, &c->rest);
	history_close(&c->history);
	free(c);
}

/* How long it has been running since the hypervisor started it again */
static u64 ms_since_restart(struct bhd *b, const struct bh_ctl_guest *g)
{
	struct bh_ctl_info now;
	struct failure f;

	if (control_info(&b->ring, &now, &f) || now.tsc <= g->start_tsc ||
	    !now.tsc_khz)
		return 0;
	return (now.tsc - g->start_tsc) / now.tsc_khz;
}

/* A bhd that is new may be so because its own guest was started again: that is
 * the first that it tells of it, as nobody else was there to see it */
static void tell_state(struct console *c, const struct bh_ctl_guest *g)
{
	bool restarted = c->state == BH_CTL_GONE && g->restarts;

	events_note_past(c->bhd, c->id, c->name, g->state, g->reason,
			 restarted ? ms_since_restart(c->bhd, g) : 0);
}

/* What it said at last is read once more when it has ended */
static void console_update(struct console *c, const struct bh_ctl_guest *g)
{
	bool ended = g->state == BH_CTL_STOPPED || g->state == BH_CTL_CRASHED;

	c->gone = false;
	if (c->state != g->state) {
		tell_state(c, g);
		make_busy(c);
	}
	c->state = g->state;
	c->own = g->flags & BH_CTL_GUEST_PRIVILEGED;
	c->dirty |= ended && !c->ended;
	c->ended = ended;
	snprintf(c->why, sizeof(c->why), "%s%s%s", state_name(g->state),
		 g->reason[0] ? ": " : "", g->reason);
}

static void guest_refresh(struct bhd *b, const struct bh_ctl_guest *g)
{
	struct console *c = find_id(b, g->id);

	if (!c)
		c = console_add(b, g->id, g->name);
	if (c)
		console_update(c, g);
}

/* Its guest is there no more */
static void console_gone(struct console *c)
{
	c->gone = true;
	make_busy(c);
	if (c->state == BH_CTL_GONE)
		return;
	c->state = BH_CTL_GONE;
	events_note(c->bhd, c->id, c->name, BH_CTL_GONE, "");
}

void console_look(struct bhd *b, u64 id, const struct bh_ctl_guest *now)
{
	struct console *c;

	if (now) {
		guest_refresh(b, now);
		return;
	}
	c = find_id(b, id);
	if (c)
		console_gone(c);
}

int consoles_refresh(struct bhd *b, const struct list *guests,
		     struct failure *f)
{
	const struct bh_ctl_guest *g = guests->items;

	if (!find_id(b, CONSOLE_LOG) &&
	    !console_add(b, CONSOLE_LOG, CONSOLE_LOG_NAME))
		return failed(f, FAIL_NO_ROOM, "no memory for consoles");
	for (struct console *c = b->consoles; c; c = c->next)
		c->gone = c->id != CONSOLE_LOG;
	/* What was before this bhd is told first */
	for (u32 i = 0; i < guests->count; i++)
		if (g[i].restarts)
			guest_refresh(b, &g[i]);
	for (u32 i = 0; i < guests->count; i++)
		if (!g[i].restarts)
			guest_refresh(b, &g[i]);
	for (struct console *c = b->consoles; c; c = c->next)
		if (c->gone)
			console_gone(c);
	return 0;
}

void consoles_free(struct bhd *b)
{
	while (b->consoles) {
		struct console *c = b->consoles;

		b->consoles = c->next;
		console_free(c);
	}
}

/* --- what it says --- */

static void rest(struct console *c)
{
	if (!c->bhd->rest_s)
		return;
	ev_timer_stop(c->bhd->loop, &c->rest);
	ev_timer_set(&c->rest, c->bhd->rest_s, 0.);
	ev_timer_start(c->bhd->loop, &c->rest);
}

/*
 * Reads it to its end; the device tells by an event of what comes then. That
 * may stand behind the answer, and is taken with it: the mark is wiped before
 * each read. Then it rests: a guest that writes a character at a time would
 * cost an event, a wake-up and a read for each.
 */
static void drain(struct console *c)
{
	struct console_part part;
	struct failure f;

	for (u32 i = 0; i < DRAIN_PARTS; i++) {
		c->dirty = false;
		if (control_console_read(&c->bhd->ring, c->id, c->end, &part,
					 &f))
			return;
		history_append(&c->history, part.first, part.text, part.bytes);
		c->end = part.first + part.bytes;
		if (c->end >= part.end) {
			rest(c);
			return;
		}
	}
	make_dirty(c);
}

/* What an ended guest has said at last is read before it may go */
static bool is_due(const struct console *c)
{
	return c->dirty && !c->gone && (c->ended || !ev_is_active(&c->rest));
}

void console_read_now(struct bhd *b, u64 id)
{
	struct console *c = find_id(b, id);

	if (c && c->dirty && !c->gone)
		drain(c);
}

/* Filters what is history: this terminal's answers to its questions would be
 * typed there */
static void send_part(struct session *s, const u8 *bytes, u32 count)
{
	char out[REPLAY_OUT_MAX];

	for (u32 i = 0; i < count && s->at < s->live_from; i++, s->at++)
		client_send(s->client, out,
			    replay_byte(&s->filter, bytes[i], out));
	if (s->at < s->live_from)
		return;
	client_send(s->client, out, replay_end(&s->filter, out));
}

static void send_bytes(struct session *s, const u8 *bytes, u32 count)
{
	u64 history = s->live_from > s->at ? s->live_from - s->at : 0;
	u32 old = (u32)MIN(history, (u64)count);

	if (old)
		send_part(s, bytes, old);
	client_send(s->client, bytes + old, count - old);
	s->at += count - old;
}

/* What there is at the session's place, of the disk or of the device */
static u32 fetch(struct session *s, struct console_part *part)
{
	const struct console *c = s->console;
	struct failure f;
	bool kept;
	u64 next;

	part->first = s->at;
	part->bytes = history_read(&c->history, s->at, part->text,
				   sizeof(part->text));
	if (part->bytes)
		return part->bytes;
	if (control_console_read(&c->bhd->ring, c->id, s->at, part, &f)) {
		part->bytes = 0;
		return 0;
	}
	/* The disk may have what the device has no more */
	next = history_next(&c->history, s->at, &kept);
	if (kept && next < part->first) {
		part->first = next;
		part->bytes = history_read(&c->history, next, part->text,
					   sizeof(part->text));
	}
	return part->bytes;
}

static void note_loss(struct session *s, u64 first)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "\r\n(%llu bytes are lost)\r\n",
			 first - s->at);

	if (s->at)
		client_send(s->client, text, (size_t)n);
	s->at = first;
}

/* Nothing will follow: why, and the line ends */
static void finish(struct session *s)
{
	struct console *c = s->console;
	char text[160];
	int n = 0;

	if (s->follow)
		n = snprintf(text, sizeof(text), "\r\n--- %s is %s ---\r\n",
			     c->name, c->gone ? "gone" : c->why);
	client_send(s->client, text, (size_t)n);
	client_close(s->client);
}

void session_pump(struct session *s)
{
	const struct console *c = s->console;
	struct console_part part;

	while (s->at < c->end && s->client->out_len < CLIENT_STREAM_MAX &&
	       !s->client->closing) {
		if (!fetch(s, &part))
			break;
		if (part.first > s->at)
			note_loss(s, part.first);
		send_bytes(s, part.text, part.bytes);
	}
	if (s->client->out_len >= CLIENT_STREAM_MAX || s->client->closing)
		return;
	if (!s->follow || c->gone || c->ended)
		finish(s);
}

static void unlink_console(struct bhd *b, const struct console *c)
{
	struct console **at = &b->consoles;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
}

/* Who looks at it may go */
static void console_work(struct console *c)
{
	struct session *next;

	if (is_due(c))
		drain(c);
	for (struct session *s = c->sessions; s; s = next) {
		next = s->next;
		session_pump(s);
	}
	if (is_due(c))
		make_busy(c);
	if (!c->gone || c->sessions)
		return;
	unlink_console(c->bhd, c);
	console_free(c);
}

/* Of those that are busy now; what they make busy has its turn later */
bool consoles_work(struct bhd *b)
{
	struct console_queue now = TAILQ_HEAD_INITIALIZER(now);
	struct console *c;

	TAILQ_CONCAT(&now, &b->busy, busy);
	while ((c = TAILQ_FIRST(&now))) {
		TAILQ_REMOVE(&now, c, busy);
		c->is_busy = false;
		console_work(c);
	}
	return !TAILQ_EMPTY(&b->busy);
}

/* --- who looks --- */

static bool has_typist(const struct console *c)
{
	for (const struct session *s = c->sessions; s; s = s->next)
		if (s->types)
			return true;
	return false;
}

static void type_waiting(struct session *s)
{
	struct failure f;
	u32 taken = s->typed_len;

	if (!s->typed_len)
		return;
	if (control_console_type(&s->console->bhd->ring, s->console->id,
				 s->typed, &taken, &f))
		taken = s->typed_len; /* nobody will ever take it */
	s->typed_len -= taken;
	memmove(s->typed, s->typed + taken, s->typed_len);
	if (s->typed_len)
		ev_timer_again(s->console->bhd->loop, &s->again);
	else
		ev_timer_stop(s->console->bhd->loop, &s->again);
}

static void on_again(struct ev_loop *loop, ev_timer *w, int events)
{
	struct session *s = w->data;

	type_waiting(s);
	if (s->typed_len < TYPE_BYTES) {
		ev_io_start(loop, &s->client->readable);
		ev_feed_event(loop, &s->client->readable, EV_CUSTOM);
	}
}

size_t session_type(struct session *s, const u8 *bytes, size_t len)
{
	u32 n = (u32)MIN(len, (size_t)(TYPE_BYTES - s->typed_len));

	if (!s->types)
		return len;
	memcpy(s->typed + s->typed_len, bytes, n);
	s->typed_len += n;
	if (!ev_is_active(&s->again))
		type_waiting(s);
	return n;
}

static void session_reply(struct session *s, bool wanted)
{
	struct json_object *o = json_object_new_object();

	wire_add_string(o, "console", s->console->name);
	wire_add(o, "own", json_object_new_boolean(s->console->own));
	wire_add(o, "read_only", json_object_new_boolean(!s->types));
	wire_add(o, "busy",
		 json_object_new_boolean(wanted && !s->types &&
					 has_typist(s->console)));
	client_reply(s->client, o);
}

void session_start(struct client *c, const char *name, bool follow, bool type)
{
	struct console *console = find_name(c->bhd, name);
	struct bh_ctl_guest g;
	struct session *s;
	struct failure f;

	if (!console) {
		if (!life_find(c->bhd, name, &g, &f))
			failed(&f, FAIL_NO_ROOM, "no memory for its console");
		client_fail(c, &f);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		failed(&f, FAIL_NO_ROOM, "no memory for the session");
		client_fail(c, &f);
		return;
	}
	drain(console);
	s->console = console;
	s->client = c;
	s->follow = follow;
	s->types = type && !has_typist(console) && console->id != CONSOLE_LOG;
	s->live_from = console->end;
	ev_timer_init(&s->again, on_again, 0., TYPE_AGAIN_S);
	s->again.data = s;
	s->next = console->sessions;
	console->sessions = s;
	session_reply(s, type);
	c->session = s;
	session_pump(s);
}

void session_end(struct session *s)
{
	struct session **at = &s->console->sessions;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	ev_timer_stop(s->console->bhd->loop, &s->again);
	make_busy(s->console);
	free(s);
}
