/* SPDX-License-Identifier: BSD-2-Clause */
/* See events.h */
#include "tools/bhd/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void add_time(struct json_object *o, u64 ago_ms)
{
	struct timespec now;
	char text[48];
	struct tm t;
	time_t s;
	u64 ms;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
	ms -= MIN(ago_ms, ms);
	s = (time_t)(ms / 1000);
	gmtime_r(&s, &t);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &t);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), ".%03lluZ",
		 ms % 1000);
	wire_add_string(o, "time", text);
}

/* {"event": @event}, which stays the caller's */
static void tell(struct client *c, struct json_object *event)
{
	struct json_object *o = json_object_new_object();
	char *line;

	wire_add(o, "event", json_object_get(event));
	line = wire_text(o);
	if (line)
		client_send(c, line, strlen(line));
	free(line);
}

void events_note(struct bhd *b, u64 id, const char *name, u32 state,
		 const char *reason)
{
	events_note_past(b, id, name, state, reason, 0);
}

void events_note_past(struct bhd *b, u64 id, const char *name, u32 state,
		      const char *reason, u64 ago_ms)
{
	struct json_object **place =
		&b->happened.kept[b->happened.count++ % EVENTS_KEPT];
	struct json_object *o = json_object_new_object();

	add_time(o, ago_ms);
	wire_add_number(o, "id", id);
	wire_add_string(o, "name", name);
	wire_add_string(o, "state", state_name(state));
	wire_add_string(o, "reason", reason);
	if (*place)
		json_object_put(*place);
	*place = o;
	for (struct client *c = b->clients; c; c = c->next)
		if (c->follows)
			tell(c, o);
}

void events_show(struct client *c, struct json_object *o)
{
	const struct events *e = &c->bhd->happened;
	struct json_object *reply = json_object_new_object();
	struct json_object *list = json_object_new_array();
	u64 first = e->count > EVENTS_KEPT ? e->count - EVENTS_KEPT : 0;

	for (u64 i = first; i < e->count; i++)
		json_object_array_add(
			list, json_object_get(e->kept[i % EVENTS_KEPT]));
	wire_add(reply, "events", list);
	c->follows = wire_bool(o, "follow");
	client_reply(c, reply);
}

void events_free(struct bhd *b)
{
	for (u32 i = 0; i < EVENTS_KEPT; i++)
		if (b->happened.kept[i])
			json_object_put(b->happened.kept[i]);
	memset(&b->happened, 0, sizeof(b->happened));
}
