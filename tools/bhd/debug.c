/* SPDX-License-Identifier: BSD-2-Clause */
/* See debug.h */
#include "tools/bhd/debug.h"

#include <stdlib.h>
#include <string.h>

#include "tools/bhd/bhd.h"
#include "tools/bhd/life.h"
#include "tools/control/inspect.h"

#define BREAKPOINTS_MAX                                                        \
	(BH_CTL_SOFTWARE_BREAKPOINTS + BH_CTL_HARDWARE_BREAKPOINTS)

static void answer(struct client *c, int err, const struct failure *f)
{
	if (err)
		client_fail(c, f);
	else
		client_reply(c, json_object_new_object());
}

/* [[address, kind, length], ...] */
static u32 breakpoints_read(struct json_object *o,
			    struct bh_ctl_breakpoint *list)
{
	struct json_object *a, *row;
	u32 count = 0;

	if (!json_object_object_get_ex(o, "breakpoints", &a) ||
	    !json_object_is_type(a, json_type_array))
		return 0;
	for (size_t i = 0; i < json_object_array_length(a); i++) {
		row = json_object_array_get_idx(a, i);
		if (!json_object_is_type(row, json_type_array) ||
		    json_object_array_length(row) != 3 ||
		    count == BREAKPOINTS_MAX)
			continue;
		list[count++] = (struct bh_ctl_breakpoint){
			.address = json_object_get_uint64(
				json_object_array_get_idx(row, 0)),
			.kind = (u32)json_object_get_uint64(
				json_object_array_get_idx(row, 1)),
			.length = (u32)json_object_get_uint64(
				json_object_array_get_idx(row, 2)),
		};
	}
	return count;
}

static int attach(struct client *c, struct json_object *o, struct failure *f)
{
	const char *name = wire_string(o, "name");
	struct ring *r = &c->bhd->ring;
	struct bh_ctl_guest g;

	if (c->debugs)
		return failed(f, FAIL_STATE, "a client debugs one guest");
	if (life_find(c->bhd, name ? name : "", &g, f) ||
	    control_debug(r, g.id, BH_CTL_DEBUG_ATTACH, NULL, f))
		return -1;
	c->debugs = g.id;
	c->debug_goes = true;
	return 0;
}

static int go(struct client *c, struct json_object *o, struct failure *f)
{
	struct bh_ctl_breakpoint list[BREAKPOINTS_MAX];
	struct control_go how = {
		.list = list,
		.count = breakpoints_read(o, list),
		.stepper = (u32)wire_number(o, "stepper", 0),
		.others = wire_bool(o, "others"),
	};

	if (control_debug(&c->bhd->ring, c->debugs, BH_CTL_DEBUG_GO, &how, f))
		return -1;
	c->debug_goes = true;
	return 0;
}

static int detach(struct client *c, struct failure *f)
{
	u64 id = c->debugs;

	c->debugs = 0;
	return control_debug(&c->bhd->ring, id, BH_CTL_DEBUG_DETACH, NULL, f);
}

static int act(struct client *c, struct json_object *o, struct failure *f)
{
	const char *what = wire_string(o, "what");

	if (what && !strcmp(what, "attach"))
		return attach(c, o, f);
	if (!c->debugs)
		return failed(f, FAIL_STATE, "the client debugs no guest");
	if (what && !strcmp(what, "go"))
		return go(c, o, f);
	if (what && !strcmp(what, "detach"))
		return detach(c, f);
	if (what && !strcmp(what, "stop"))
		return control_debug(&c->bhd->ring, c->debugs,
				     BH_CTL_DEBUG_STOP, NULL, f);
	return failed(f, FAIL_USAGE, "a debugger cannot do that");
}

void debug_act(struct client *c, struct json_object *o)
{
	struct failure f;

	answer(c, act(c, o, &f), &f);
}

/* "hex": bytes; how many, or 0: they are none, or more than @max */
static u32 hex_read(struct json_object *o, u8 *to, u32 max)
{
	const char *hex = wire_string(o, "hex");
	size_t len = hex ? strlen(hex) : 0;

	if (!len || len % 2 || len / 2 > max)
		return 0;
	for (size_t i = 0; i < len / 2; i++) {
		char byte[3] = { hex[2 * i], hex[2 * i + 1] }, *end;

		to[i] = (u8)strtoul(byte, &end, 16);
		if (end != byte + 2)
			return 0;
	}
	return (u32)(len / 2);
}

void debug_registers(struct client *c, struct json_object *o)
{
	struct bh_ctl_registers r;
	struct failure f;
	int err;

	if (hex_read(o, (u8 *)&r, sizeof(r)) != sizeof(r))
		err = failed(&f, FAIL_USAGE, "these are no registers");
	else
		err = control_registers_set(&c->bhd->ring, c->debugs,
					    (u32)wire_number(o, "vcpu", 0), &r,
					    &f);
	answer(c, err, &f);
}

void debug_poke(struct client *c, struct json_object *o)
{
	u8 bytes[BH_CTL_IN_MAX];
	u32 count = hex_read(o, bytes, sizeof(bytes));
	struct failure f;
	int err;

	if (!count)
		err = failed(&f, FAIL_USAGE, "there is nothing to write");
	else
		err = control_memory_write(&c->bhd->ring, c->debugs,
					   wire_number(o, "address", 0), bytes,
					   count, &f);
	answer(c, err, &f);
}

void debug_translate(struct client *c, struct json_object *o)
{
	struct json_object *reply;
	struct failure f;
	u64 gpa;

	if (control_translate(&c->bhd->ring, wire_number(o, "id", 0),
			      (u32)wire_number(o, "vcpu", 0),
			      wire_number(o, "address", 0), &gpa, &f)) {
		client_fail(c, &f);
		return;
	}
	reply = json_object_new_object();
	wire_add_number(reply, "address", gpa);
	client_reply(c, reply);
}

/* --- what becomes of it --- */

static void tell(struct client *c, const char *what)
{
	struct json_object *o = json_object_new_object();
	struct json_object *e = json_object_new_object();
	char *line;

	wire_add_string(e, "debug", what);
	wire_add(o, "event", e);
	line = wire_text(o);
	if (line)
		client_send(c, line, strlen(line));
	free(line);
	c->debug_goes = false;
}

static void look_at(struct client *c)
{
	u32 state = BH_CTL_GONE;
	struct bh_ctl_guest g;
	struct failure f;

	if (!control_guest(&c->bhd->ring, c->debugs, &g, &f))
		state = g.state;
	else if (f.kind != FAIL_NO_GUEST)
		return;
	if (state == BH_CTL_RUNNING)
		return;
	if (state == BH_CTL_PAUSED) {
		tell(c, "stands");
		return;
	}
	c->debugs = 0;
	tell(c, "gone");
}

void debug_look(struct bhd *b)
{
	b->debug_news = false;
	for (struct client *c = b->clients; c; c = c->next)
		if (c->debugs && c->debug_goes)
			look_at(c);
}

void debug_left(struct client *c)
{
	struct failure f;

	if (c->debugs)
		detach(c, &f);
}
